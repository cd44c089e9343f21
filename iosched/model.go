package iosched

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A DeviceModel says how long a flash device takes for reads, in a few numbers:
//
//   - a read waits for one of Units internal units (planes, or tags of the protocol), which is busy for Latency (Sequential, if it goes on
//     where another read ended, because the device reads ahead);
//   - then it passes the one link to the host, which takes PerRead for the command and 1/Bandwidth (InOrder, if it goes on) for each byte;
//   - a phone's flash keeps only part of its address table in memory. When reads spread over more than TableRange bytes, each doubling adds TableMiss
//     to the command, up to as much as PerRead plus MaxTableMiss.
//
// So single reads are bound by Latency, many small ones by PerRead, large ones by Bandwidth.
type DeviceModel struct {
	Name  string // as in --device
	About string // the device and where the numbers come from

	Units        int
	Latency      time.Duration
	Sequential   time.Duration
	PerRead      time.Duration
	Bandwidth    float64 // bytes per second
	InOrder      float64
	TableRange   int64 // bytes; 0: the whole table is in memory
	TableMiss    time.Duration
	MaxTableMiss time.Duration
}

// DeviceModels lists the devices that can be simulated. What is published and what is assumed:
//
//   - ufs4.0: PowerInfer-2 (section 2.3.2) measured on a OnePlus 12 random reads of 4 KB over 128 MB at 1 GB/s and over 512 MB at 850 MB/s, random reads of
//     512 KB at 3.5 GB/s, reads in order of 4 KB at 450 MB/s (one at a time) and of 512 KB at 4 GB/s, and quotes 100,000 reads per second. PerRead,
//     both bandwidths, Sequential and the table's numbers are solved from these. Ripple gives the queue of 32. Assumed: the latency of 70 us.
//   - ufs3.1: ActiveFlow names a nominal link of 4.2 GB/s beside 5.8 of UFS 4.0, half the lanes' speed of which real parts reach about
//     2 GB/s. Assumed: 2.1 GB/s, twice UFS 4.0's time per command, a latency of 100 us.
//   - nvme: PowerInfer-2 (section 1) quotes 7.5 GB/s in order and 1,200,000 random reads per second for a PC. Assumed: a latency of 60 us.
//   - emmc: no published measurement; assumed from the bus: HS400 is 400 MB/s, of which parts reach 300, about 10,000 random reads per second whatever the
//     depth, 150 us.
func DeviceModels() []DeviceModel {
	const us, ns = time.Microsecond, time.Nanosecond
	return []DeviceModel{
		{"ufs4.0", "UFS 4.0 phone flash, from PowerInfer-2's measurements of a OnePlus 12", 32, 70 * us, 5340 * ns, 2760 * ns, 3.565e9, 4.09e9, 128 << 20, 460 * ns, 6100 * ns},
		{"ufs3.1", "UFS 3.1 phone flash, scaled from UFS 4.0 by the link's speed", 32, 100 * us, 10 * us, 5500 * ns, 2.1e9, 2.1e9, 128 << 20, 900 * ns, 12 * us},
		{"nvme", "a PC's NVMe disk, from the figures that PowerInfer-2 compares with", 128, 60 * us, 10 * us, 280 * ns, 7.5e9, 7.5e9, 0, 0, 0},
		{"emmc", "eMMC 5.1, assumed from its bus", 1, 80 * us, 20 * us, 10 * us, 300e6, 300e6, 0, 0, 0},
	}
}

// DeviceModelNamed finds a model by its name.
func DeviceModelNamed(name string) (DeviceModel, error) {
	var names []string
	for _, m := range DeviceModels() {
		if strings.EqualFold(m.Name, name) {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return DeviceModel{}, fmt.Errorf("there is no device model %q, only %s", name, strings.Join(names, ", "))
}

// check says what makes a model useless.
func (m *DeviceModel) check() error {
	if m.Units < 1 || m.Units > maxDepth || m.Latency < 0 || m.Sequential < 0 || m.PerRead < 0 || !(m.Bandwidth > 0) || !(m.InOrder > 0) || m.TableRange < 0 || m.TableMiss < 0 || m.MaxTableMiss < 0 {
		return fmt.Errorf("the device model %q has impossible numbers: %+v", m.Name, *m)
	}
	return nil
}

// clockwork computes when the reads of a model end. It is deterministic: the same reads at the same times end at the same times.
type clockwork struct {
	model DeviceModel
	units []int64 // when each is free, ns
	link  int64   // when it is free
	next  int64   // offset behind the last read

	recent [64]int64 // offsets of the latest reads, for the range that they spread over
	reads  int
}

// end is when a read that is submitted now will be done.
func (c *clockwork) end(now, offset int64, bytes int) int64 {
	unit := 0
	for i, free := range c.units {
		if free < c.units[unit] {
			unit = i
		}
	}
	access, bandwidth := c.model.Latency, c.model.Bandwidth
	if offset == c.next && c.reads > 0 {
		access, bandwidth = c.model.Sequential, c.model.InOrder
	}
	found := max(now, c.units[unit]) + int64(access)
	c.link = max(found, c.link) + int64(c.command(offset)) + int64(float64(bytes)/bandwidth*1e9)
	c.units[unit] = c.link
	c.next = offset + int64(bytes)
	return c.link
}

// command is the link's time for a read without its bytes.
func (c *clockwork) command(offset int64) time.Duration {
	c.recent[c.reads%len(c.recent)] = offset
	c.reads++
	low, high := offset, offset
	for _, o := range c.recent[:min(c.reads, len(c.recent))] {
		low, high = min(low, o), max(high, o)
	}
	d := c.model.PerRead
	if spread := high - low; c.model.TableRange > 0 && spread > c.model.TableRange {
		miss := math.Log2(float64(spread)/float64(c.model.TableRange)) * float64(c.model.TableMiss)
		d += min(time.Duration(miss), c.model.MaxTableMiss)
	}
	return d
}
