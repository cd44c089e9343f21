package kernel

import "golang.org/x/sys/cpu"

// archOps are the variants of this CPU. x/sys/cpu reports vector features only where the operating system saves the registers.
func archOps() []ops {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasF16C {
		return nil
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512VNNI {
		return []ops{avx512vnniOps, avx2Ops}
	}
	return []ops{avx2Ops}
}
