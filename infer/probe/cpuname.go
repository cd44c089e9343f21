package probe

import (
	"fmt"
	"strconv"
	"strings"
)

// armParts are the names of part numbers that /proc/cpuinfo gives, by implementer.
var armParts = map[[2]uint64]string{
	{0x41, 0xd03}: "Cortex-A53", {0x41, 0xd04}: "Cortex-A35", {0x41, 0xd05}: "Cortex-A55", {0x41, 0xd07}: "Cortex-A57",
	{0x41, 0xd08}: "Cortex-A72", {0x41, 0xd09}: "Cortex-A73", {0x41, 0xd0a}: "Cortex-A75", {0x41, 0xd0b}: "Cortex-A76",
	{0x41, 0xd0c}: "Neoverse N1", {0x41, 0xd0d}: "Cortex-A77", {0x41, 0xd40}: "Neoverse V1", {0x41, 0xd41}: "Cortex-A78",
	{0x41, 0xd44}: "Cortex-X1", {0x41, 0xd46}: "Cortex-A510", {0x41, 0xd47}: "Cortex-A710", {0x41, 0xd48}: "Cortex-X2",
	{0x41, 0xd49}: "Neoverse N2", {0x41, 0xd4b}: "Cortex-A78C", {0x41, 0xd4c}: "Cortex-X1C", {0x41, 0xd4d}: "Cortex-A715",
	{0x41, 0xd4e}: "Cortex-X3", {0x41, 0xd4f}: "Neoverse V2", {0x41, 0xd80}: "Cortex-A520", {0x41, 0xd81}: "Cortex-A720",
	{0x41, 0xd82}: "Cortex-X4", {0x41, 0xd85}: "Cortex-X925", {0x41, 0xd87}: "Cortex-A725", {0x41, 0xd8e}: "Neoverse N3",
	{0x51, 0x001}: "Oryon", {0x51, 0x800}: "Kryo 2xx Gold", {0x51, 0x801}: "Kryo 2xx Silver", {0x51, 0x802}: "Kryo 3xx Gold",
	{0x51, 0x803}: "Kryo 3xx Silver", {0x51, 0x804}: "Kryo 4xx Gold", {0x51, 0x805}: "Kryo 4xx Silver",
}

// cpuKinds lists the kinds of CPUs in the order of their first one, each with the CPUs' numbers. An arm64 kernel gives numbers for implementer and part, an
// x86 kernel a name.
func cpuKinds(cpuinfo string) []string {
	cpus := map[string][]int{}
	kinds := []string{}
	for _, block := range strings.Split(cpuinfo, "\n\n") {
		cpu, err := strconv.Atoi(field(block, "processor"))
		if err != nil {
			continue
		}
		name := field(block, "model name")
		if part, err := strconv.ParseUint(field(block, "CPU part"), 0, 16); err == nil {
			maker, _ := strconv.ParseUint(field(block, "CPU implementer"), 0, 8)
			if name = armParts[[2]uint64{maker, part}]; name == "" {
				name = fmt.Sprintf("CPU of maker %#x, part %#x", maker, part)
			}
		}
		if name == "" {
			name = "unnamed CPU"
		}
		if cpus[name] == nil {
			kinds = append(kinds, name)
		}
		cpus[name] = append(cpus[name], cpu)
	}
	for i, name := range kinds {
		kinds[i] = name + " " + Ranges(cpus[name])
	}
	return kinds
}

// Ranges writes ascending numbers as the kernel writes lists of CPUs: 0-3,6.
func Ranges(n []int) string {
	var parts []string
	for i := 0; i < len(n); {
		j := i
		for j+1 < len(n) && n[j+1] == n[j]+1 {
			j++
		}
		part := strconv.Itoa(n[i])
		if j > i {
			part += "-" + strconv.Itoa(n[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ",")
}
