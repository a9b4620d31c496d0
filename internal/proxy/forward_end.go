package proxy

// clientFailed reports whether the client's body broke off or was too slow. It
// must be asked before end, which makes a body that is still read fail too.
func (t *transfer) clientFailed() bool {
	return t.sending != nil && t.sending.clientFailed.Load()
}

// end stops everything that still reads the client's connection, and gives the
// cell's back.
func (t *transfer) end(clean bool) {
	if t.deadline != nil {
		t.deadline.Stop()
	}
	t.unwatch()
	if t.sending != nil && !t.sending.finish() {
		clean = false
	}
	t.unleash()
	t.released = true
	t.hop.release(clean && !t.left.Load())
}

// abandon gives the hop back that a bug has kept from being released.
func (t *transfer) abandon() {
	if !t.released {
		t.hop.abort()
		t.hop.release(false)
	}
}

// drop ends an attempt whose body goes on to the next.
func (t *transfer) drop() {
	if t.deadline != nil {
		t.deadline.Stop()
	}
	t.unleash()
	t.released = true
	t.hop.release(false)
}

func (t *transfer) unwatch() {
	if t.watching {
		t.x.in.Watcher.Unwatch()
		t.watching = false
	}
}

// leash has the exchange end when the edge gives up what is left. A client that is
// watched is found out by that, one whose body is being read is not, as long as the
// cell takes nothing.
func (t *transfer) leash() {
	if !t.x.in.WatchesApart {
		t.ending = &streamWatch{ctx: t.x.ctx}
		t.ending.Watch(t.leaveFunc)
	}
}

func (t *transfer) unleash() {
	if t.ending != nil {
		t.ending.Unwatch()
		t.ending = nil
	}
}

// leave runs when the client has gone: nobody waits for the answer any more, so
// the cell may stop working on it.
func (t *transfer) leave() {
	t.left.Store(true)
	t.hop.abort()
}

// drain ends an answer that has no end in sight as if the cell had ended it.
func (t *transfer) drain() {
	t.drained.Store(true)
	t.hop.abort()
}

// abort ends an answer that was broken off after its head. A client that broke
// its own request off is not the cell's failure, though the cell's connection
// is what failed.
func (t *transfer) abort(by Abort) verdict {
	clientFailed := t.clientFailed()
	t.end(false)
	if t.left.Load() || clientFailed {
		by = ClientAborted
	}
	t.x.rec.Aborted = by
	if by != UpstreamAborted {
		return broken
	}
	problem := Problem{Kind: UpstreamReset, Detail: "The cell broke off its answer."}
	if t.x.overdue() {
		problem = tooLate
	}
	t.x.rec.Kind = problem.Kind
	if !t.x.speaksGRPC() {
		return broken
	}
	t.x.rec.GRPC = int8(kinds[problem.Kind].grpc)
	if t.x.out.End(grpcStatus(problem, t.x.rec.RequestID)) != nil {
		return broken
	}
	return complete // the trailer says that the call failed
}
