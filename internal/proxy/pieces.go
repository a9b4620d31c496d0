package proxy

import (
	"errors"
	"io"
)

// sparseSize is the size of a piece up to which a stream counts as a trickle.
const sparseSize = 4 << 10

// pieces passes an answer on, piece by piece as they come.
type pieces struct {
	in  answerBody
	out Answer
	// sparse says that pieces are far between: while nothing comes, no buffer is
	// held. A stream that turns out to flow is read as any other body.
	sparse bool
	last   int
}

// next passes one piece on. end says that it was the last, by who broke off.
func (p *pieces) next() (n int64, end bool, by Abort) {
	if p.sparse && p.last < sparseSize {
		if err := p.in.Ready(); err != nil && !errors.Is(err, io.EOF) {
			return 0, false, UpstreamAborted
		}
	}
	piece, err := p.in.Next()
	n, p.last = int64(len(piece)), len(piece)
	end = errors.Is(err, io.EOF)
	if n > 0 {
		if p.out.Write(piece, end) != nil {
			return n, false, ClientAborted
		}
	}
	if err != nil && !end {
		return n, false, UpstreamAborted
	}
	return n, end, NotAborted
}
