package iosched

// GapLimit is the Config.MaxGap that a measurement speaks for, 0 if it says nothing. A read takes a fixed time and a time per byte; the limit is
// where the bytes of a gap take as long as the fixed time of the second read that they save. With many reads under way a read's time is its share of the
// device's, so the deepest queue that was measured counts.
func (p *Profile) GapLimit() int {
	var small, large *Throughput
	for i := range p.Reads {
		r := &p.Reads[i]
		switch {
		case !r.Random || r.PerSec <= 0 || r.Request > maxGap:
		case small == nil || r.Depth > small.Depth:
			small, large = r, r
		case r.Depth == small.Depth && r.Request < small.Request:
			small = r
		case r.Depth == small.Depth && r.Request > large.Request:
			large = r
		}
	}
	if small == large {
		return 0
	}
	perByte := (1/large.PerSec - 1/small.PerSec) / float64(large.Request-small.Request)
	fixed := 1/small.PerSec - perByte*float64(small.Request)
	if fixed <= 0 {
		return 0
	}
	if perByte*maxGap <= fixed { // also where bytes seem to cost nothing
		return maxGap
	}
	return int(fixed/perByte) / assumedAlign * assumedAlign
}
