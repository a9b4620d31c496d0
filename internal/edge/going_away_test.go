package edge_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testcell/echo"
	"github.com/homeward/homeward/topology"
)

// goingAway is a world whose gateways tell their clients to go away with every
// tenth request on a connection.
func goingAway(t *testing.T) *world {
	return newWorld(t, func(top *topology.Topology) {
		for i := range top.Cells {
			top.Cells[i].Gateways[0] = strings.Replace(top.Cells[i].Gateways[0], "http:", "h2c:", 1)
			top.Cells[i].GRPCGateways = nil
		}
	}, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
		if r.Number%10 == 0 {
			return testcell.CloseAnnounced
		}
		return testcell.NoFault
	}})
}

// What a gateway that goes away did not process goes to another connection, with
// what was sent of its body: no call is lost.
func TestGatewayThatGoesAwayLosesNoCall(t *testing.T) {
	w := goingAway(t)
	for name, c := range w.callers(t) {
		var calls sync.WaitGroup
		for range 8 {
			calls.Go(func() {
				for range 25 {
					if got, err := c.Echo(calling(t, euToken), &echo.EchoRequest{Text: "a"}); err != nil || got.GetText() != "a" {
						t.Errorf("%s: %v, %v", name, got, err)
					}
					if err := c.chat(t, euToken, "eu1", 3); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			})
		}
		calls.Wait()
	}
	if n := w.cells["eu1"].Connections(); n < 5 {
		t.Errorf("only %d connections: the gateway did not go away", n)
	}
}

// The same holds for bodies of any client, as long as not much of them was sent.
func TestGatewayThatGoesAwayLosesNoBody(t *testing.T) {
	w := goingAway(t)
	body := content(10_000)
	digest := sha256.Sum256(body)
	for _, c := range w.ways() {
		var requests sync.WaitGroup
		for range 8 {
			requests.Go(func() {
				for i := range 25 {
					length := int64(len(body))
					if i%2 == 0 {
						length = -1
					}
					resp, err := c.http.Do(c.request(t, "POST", "/x", io.MultiReader(bytes.NewReader(body[:100]), bytes.NewReader(body[100:])), length))
					if err != nil {
						t.Errorf("%s: %v", c.name, err)
						continue
					}
					got, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || resp.StatusCode != 200 || !strings.Contains(string(got), hex.EncodeToString(digest[:])) {
						t.Errorf("%s: %d %s, %v", c.name, resp.StatusCode, got, err)
					}
				}
			})
		}
		requests.Wait()
	}
}
