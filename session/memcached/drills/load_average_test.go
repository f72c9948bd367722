package drills_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// loadAverage is the machine's over the last minute (proc(5), /proc/loadavg).
func loadAverage() (load float64, known bool) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err = strconv.ParseFloat(first, 64)
	return load, err == nil
}

func loadText() string {
	if load, known := loadAverage(); known {
		return fmt.Sprintf("%.2f", load)
	}
	return "unknown"
}

// busy is what to say of a failure if the machine has more to do than it can, the
// drill's own work included; "" if it has not, or if latencies are not judged.
func busy() string {
	load, known := loadAverage()
	if !strict || !known || load <= float64(runtime.NumCPU()) {
		return ""
	}
	return fmt.Sprintf(" on a machine with a load average of %.2f and %d CPUs: that may be why", load, runtime.NumCPU())
}
