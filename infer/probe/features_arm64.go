package probe

import "golang.org/x/sys/cpu"

// features are those of the CPU's that kernels look at or could.
func features() []string {
	a := &cpu.ARM64
	return named(
		feature{"asimd", a.HasASIMD}, feature{"fphp", a.HasFPHP}, feature{"asimdhp", a.HasASIMDHP}, feature{"asimdfhm", a.HasASIMDFHM},
		feature{"dotprod", a.HasASIMDDP}, feature{"i8mm", a.HasI8MM}, feature{"sve", a.HasSVE}, feature{"sve2", a.HasSVE2},
	)
}
