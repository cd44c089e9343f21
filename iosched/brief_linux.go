package iosched

import "time"

// briefly is how long a thread sleeps in the kernel as if it computed: Go's scheduler is not told, so nobody takes its P away and it need not find
// one when it wakes. That gave 10 to 25 % more reads with a queue of 4, for 3 to 4 us less CPU. Whoever sleeps longer gives the P up. The garbage collector need not
// wait so long: its signal ends the system call.
const briefly = time.Millisecond

// brief is the part of a wait that is spent so.
func brief(wait time.Duration) time.Duration {
	if wait < 0 || wait > briefly {
		return briefly
	}
	return wait
}

// atOnce is how many reads one system call submits. The kernel keeps the reads of a call back until it has prepared the last one, so the device starts late: with
// depth 32 and 4 KB, calls for 8 reads gave 93 % of the reads per second, calls for whole batches 86 %. Calls for one cost half as much CPU again.
const atOnce = 4
