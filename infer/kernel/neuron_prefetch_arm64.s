#include "textflag.h"

// Asking for memory ahead of its use.
//
//	R0 line   R1 end

// func prefetchNEON(p unsafe.Pointer, bytes int)
TEXT ·prefetchNEON(SB), NOSPLIT, $0-16
	MOVD p+0(FP), R0
	MOVD bytes+8(FP), R1
	ADD  R0, R1
	BIC  $63, R0

line:
	PRFM (R0), PLDL2KEEP
	ADD  $64, R0
	CMP  R1, R0
	BLO  line
	RET
