package probe

import "golang.org/x/sys/cpu"

// features are those of the CPU's that kernels look at or could.
func features() []string {
	x := &cpu.X86
	return named(
		feature{"avx", x.HasAVX}, feature{"avx2", x.HasAVX2}, feature{"fma", x.HasFMA}, feature{"f16c", x.HasF16C},
		feature{"avxvnni", x.HasAVXVNNI}, feature{"avx512f", x.HasAVX512F}, feature{"avx512bw", x.HasAVX512BW},
		feature{"avx512vl", x.HasAVX512VL}, feature{"avx512vnni", x.HasAVX512VNNI}, feature{"avx512bf16", x.HasAVX512BF16},
		feature{"amx-int8", x.HasAMXInt8},
	)
}
