#include "textflag.h"

// Asking for memory ahead of its use, into the second cache: the first one waits for few lines at a time. See neuron_amd64.h.
//
//	SI line   CX end

// func prefetchAVX2(p unsafe.Pointer, bytes int)
TEXT ·prefetchAVX2(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ bytes+8(FP), CX
	ADDQ SI, CX
	ANDQ $~63, SI

line:
	PREFETCHT1 (SI)
	ADDQ       $64, SI
	CMPQ       SI, CX
	JCS        line
	RET
