// Package install finds the programs that a comparison needs, and installs
// what is missing where it may.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrMissing says that a program is not there and cannot be installed.
var ErrMissing = errors.New("a program is missing")

// debian is the packages of Debian that the programs come in.
var debian = map[string]string{"nginx": "nginx", "haproxy": "haproxy", "wrk": "wrk", "h2load": "nghttp2-client", "taskset": "util-linux"}

// Installer finds and installs programs.
type Installer struct {
	Bin    string    // folder for what is built from source; absolute
	Source string    // folder of this module
	Say    io.Writer // gets the progress
}

// System finds programs that Debian has packages of, and installs the missing
// if this is root on Debian. It returns their files by name.
func (in *Installer) System(ctx context.Context, names []string) (map[string]string, error) {
	found, missing := in.look(names)
	if len(missing) == 0 {
		return found, nil
	}
	var packages []string
	for _, name := range missing {
		packages = append(packages, debian[name])
	}
	cure := "apt-get install " + strings.Join(packages, " ")
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: %s; on Debian: sudo %s", ErrMissing, strings.Join(missing, ", "), cure)
	}
	fmt.Fprintf(in.Say, "installing: %s\n", cure)
	for _, args := range [][]string{{"update", "-qq"}, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)} {
		cmd := exec.CommandContext(ctx, apt, args...)
		// Run level 1 keeps the packages from starting their services.
		cmd.Env = append(cmd.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	if found, missing = in.look(names); len(missing) > 0 {
		return nil, fmt.Errorf("%w: %s, even after %s", ErrMissing, strings.Join(missing, ", "), cure)
	}
	return found, nil
}

// look finds programs in PATH and where Debian has those of the administrator.
func (in *Installer) look(names []string) (found map[string]string, missing []string) {
	found = map[string]string{}
	for _, name := range names {
		file, err := exec.LookPath(name)
		if err != nil {
			file, err = exec.LookPath(filepath.Join("/usr/sbin", name))
		}
		if err != nil {
			missing = append(missing, name)
			continue
		}
		found[name] = file
	}
	return found, missing
}

// Edge builds this project's edge and returns its file.
func (in *Installer) Edge(ctx context.Context) (string, error) {
	file := filepath.Join(in.Bin, "homeward-edge")
	return file, in.goCommand(ctx, nil, "build", "-o", file, "./cmd/homeward-edge")
}

// Caddy builds a version of Caddy, unless that is there, and returns its file.
func (in *Installer) Caddy(ctx context.Context, version string) (string, error) {
	bin := filepath.Join(in.Bin, "caddy-"+version)
	file := filepath.Join(bin, "caddy")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	return file, in.goCommand(ctx, []string{"GOBIN=" + bin}, "install", "github.com/caddyserver/caddy/v2/cmd/caddy@"+version)
}

func (in *Installer) goCommand(ctx context.Context, env []string, args ...string) error {
	fmt.Fprintf(in.Say, "go %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = in.Source, append(cmd.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
}
