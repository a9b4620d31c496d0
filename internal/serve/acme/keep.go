package acme

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	// attemptTime bounds one attempt, so that an authority that answers nothing
	// cannot stop further ones.
	attemptTime = 5 * time.Minute
	// retryGrowth is how often the time between attempts doubles at most, and
	// retryMost how many times the first one it may be.
	retryGrowth, retryMost = 6, 60
	// alarm is the rest of a certificate's life in which a failed renewal is an
	// error and no longer a warning.
	alarm = 14 * 24 * time.Hour
)

// errTaken ends an attempt that is no longer needed: another process that shares
// the directory was faster.
var errTaken = errors.New("already renewed")

// errStillDue says that a new certificate is as good as none.
var errStillDue = errors.New("the new certificate is due for renewal already: is the clock of this machine right?")

// attempt is one question to the authority. Its context carries it, so that what
// certmagic tells of it can be told apart.
type attempt struct {
	certificate *certificate
	issued      bool // the authority was asked, and gave a certificate
}

// attemptKey is the key of an attempt in its context.
type attemptKey struct{}

// keep has a certificate for a name until ctx ends.
func (m *Manager) keep(ctx context.Context, c *certificate) {
	for failures := 0; ctx.Err() == nil; {
		wait := around(m.config.Check)
		switch fresh, stored := m.take(c); {
		case fresh:
			failures = 0
		case m.ask(ctx, c, errors.Is(stored, errNothing)) == nil:
			failures = 0
		default:
			failures++
			wait = around(backoff(m.config.Retry, failures))
			m.config.Log.Debug("the next attempt waits", "name", c.name, "wait", wait)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// backoff is the time after so many failures in a row, 1 or more.
func backoff(first time.Duration, failures int) time.Duration {
	return min(first<<min(failures-1, retryGrowth), retryMost*first)
}

// around is d, up to a fifth longer: edges that started together shall not ask
// together.
func around(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/5+1)) //nolint:gosec // spreads load, guards nothing
}

// ask asks the authority once, for a first certificate or for a renewal.
func (m *Manager) ask(ctx context.Context, c *certificate, first bool) error {
	a, this := m.authority.Load(), &attempt{certificate: c}
	limited, cancel := context.WithTimeout(context.WithValue(ctx, attemptKey{}, this), attemptTime)
	defer cancel()
	m.config.Log.Debug("asking the authority", "name", c.name, "ca", m.config.CA)
	var err error
	if first {
		err = a.config.ObtainCertSync(limited, c.name)
	} else { // by force: whether it is due is decided in follow
		err = a.config.RenewCertSync(limited, c.name, true)
	}
	if err == nil || errors.Is(err, errTaken) {
		var fresh bool
		if fresh, err = m.take(c); err == nil && !fresh {
			err = errStillDue
		}
	}
	switch {
	case err == nil && this.issued:
		m.obtained.Add(1)
		m.config.Log.Info("certificate obtained", "name", c.name, "not_after", c.pair.Load().Leaf.NotAfter)
	case err == nil:
		m.config.Log.Info("certificate taken from disk", "name", c.name, "not_after", c.pair.Load().Leaf.NotAfter)
	case ctx.Err() == nil:
		m.failed.Add(1)
		m.tell(c, err)
	}
	return err
}

// tell logs a failed attempt, as loudly as its consequence is.
func (m *Manager) tell(c *certificate, err error) {
	reason := strings.ReplaceAll(err.Error(), m.config.Email, "(email)")
	pair := c.pair.Load()
	if pair == nil {
		m.config.Log.Error("no certificate could be obtained: HTTPS for this name fails until one is; it will be tried again", "name", c.name, "ca", m.config.CA, "error", reason)
		return
	}
	left := pair.Leaf.NotAfter.Sub(m.config.Now())
	attrs := []any{"name", c.name, "ca", m.config.CA, "not_after", pair.Leaf.NotAfter, "left", left.Round(time.Minute), "error", reason}
	switch {
	case left <= 0:
		m.config.Log.Error("the certificate has expired and could not be renewed; it is served on, and it will be tried again", attrs...)
	case left <= alarm:
		m.config.Log.Error("the certificate expires soon and could not be renewed; it will be tried again", attrs...)
	default:
		m.config.Log.Warn("the certificate could not be renewed; it will be tried again", attrs...)
	}
}

// follow is told by certmagic how an attempt goes. An error ends the attempt before
// the authority is asked, which is when the lock that processes with one
// directory share is held: another one may have renewed meanwhile.
func (m *Manager) follow(ctx context.Context, event string, _ map[string]any) error {
	this, ok := ctx.Value(attemptKey{}).(*attempt)
	switch {
	case ok && event == "cert_obtained":
		this.issued = true
	case ok && event == "cert_obtaining":
		if fresh, err := m.take(this.certificate); err == nil && fresh {
			return errTaken
		}
	}
	return nil
}
