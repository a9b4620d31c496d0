package process

import "syscall"

// attributes give a program a group of its own, since Ctrl-C is for whoever
// started it, who then stops it; and a signal for when that has died.
func attributes(atDeath syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: atDeath}
}
