package topology

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that reads and writes as text, such as 1m30s.
type Duration time.Duration

// ErrDuration says that a text is not a duration.
var ErrDuration = errors.New("not a duration: a positive number with a unit, such as 500ms, 10s or 2h")

// UnmarshalText reads a duration; it must be positive.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v <= 0 {
		return ErrDuration
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration without units that are zero.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is the duration without units that are zero: 2h, not 2h0m0s.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Size is a number of bytes that reads and writes as text, such as 16KiB.
type Size int64

// ErrSize says that a text is not a size.
var ErrSize = errors.New("not a size: a positive whole number of bytes, or one with KiB, MiB or GiB, such as 16KiB")

// UnmarshalText reads a size; it must be positive.
func (s *Size) UnmarshalText(b []byte) error {
	text, shift := string(b), 0
	for unit, n := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if t, ok := strings.CutSuffix(text, unit); ok {
			text, shift = strings.TrimSpace(t), n
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > 1<<62>>shift {
		return ErrSize
	}
	*s = Size(n << shift)
	return nil
}

// MarshalText writes the size in its largest whole unit.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is the size in its largest whole unit.
func (s Size) String() string {
	for _, u := range []struct {
		name  string
		shift int
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if s > 0 && s&(1<<u.shift-1) == 0 {
			return fmt.Sprintf("%d%s", s>>u.shift, u.name)
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
