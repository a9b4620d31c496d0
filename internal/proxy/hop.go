package proxy

import (
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// hop is one exchange with a gateway: a request out, its answer back. One
// goroutine sends while another receives.
type hop interface {
	sender
	receiver
	// abort breaks the exchange off: calls in progress and later ones fail. Any
	// goroutine may call it, also once the exchange is over: then it does nothing.
	abort()
	// release ends the exchange and gives the connection back; clean says that
	// both messages ended as they should.
	release(clean bool)
	// lost says what a failure before any head of the answer means for the
	// request: unsent that the gateway did not process it, stale that a kept
	// connection ended under it and the gateway may have.
	lost(err error) (unsent, stale bool)
}

// sender sends the request.
type sender interface {
	// begin sends the head of x's request, and its body with it if that is at hand.
	begin(x *exchange) error
	// write sends n bytes of the body, which start at buf[http1.ChunkRoom]; the
	// room before and behind them is the sender's.
	write(buf []byte, n int) error
	// finish ends the body, or the sending side of a tunnel.
	finish(trailer []route.Field) error
	// allowWrite limits how long the gateway may take for what is written from now
	// on, 0 for no limit.
	allowWrite(d time.Duration)
	// stopWriting makes a write in progress fail, and all later ones.
	stopWriting()
}

// receiver receives the answer.
type receiver interface {
	// head reads the next head, interim or final. A cell that opens the tunnel
	// that x asked for gives the status 101, whatever the protocol.
	head(r *http1.Response) error
	// body is the body of the answer whose head was read last, or what comes out
	// of the tunnel.
	body() answerBody
	// allowRead limits how long reading may wait from now on, 0 for no limit. It
	// holds for a call in progress, too.
	allowRead(d time.Duration)
}

// answerBody is the body of an answer on its way back.
type answerBody interface {
	// Next is the next piece of the body, valid until the next call; the head of the
	// answer is not valid any more. io.EOF, with the last piece or after it, says that
	// the body was whole.
	Next() ([]byte, error)
	// Trailer is the trailer, once Next has returned io.EOF.
	Trailer() []route.Field
	// Ready blocks until Next would not. It holds no buffer.
	Ready() error
	// AtHand reports whether Next, or the end of the body, is there without waiting.
	AtHand() bool
}

// trailersAccepted reports whether the client says that it reads trailers, which
// some origins send to nobody else (RFC 9110 section 10.1.4).
func trailersAccepted(fields []route.Field) bool {
	for _, f := range fields {
		if http1.SameName(f.Name, "TE") && !http1.Elements(f.Value, func(e string) bool { return e != "trailers" }) {
			return true
		}
	}
	return false
}
