package process

import (
	"fmt"
	"os"
	"syscall"
)

// attributes give a program a session of its own, since Ctrl-C is for whoever
// started it, who then stops it; and a signal for when that has died.
func attributes(atDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: atDeath}
}

// prefer puts a session before what else the machine does. Where the kernel
// groups processes by session (sched_autogroup), the nice value counts within
// the session only. Only root may; for all others nothing changes.
func prefer(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte("-15"), 0)
}
