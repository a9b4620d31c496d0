//go:build !linux

package process

import "syscall"

// attributes are none: programs are measured on Linux only.
func attributes(syscall.Signal) *syscall.SysProcAttr { return nil }

// prefer does nothing.
func prefer(int) {}
