package demo_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/homeward/homeward/internal/testcell/echo"
)

// command is a command for grpcurl, read back.
type command struct {
	t               *testing.T
	ca, authority   string
	metadata        []string
	messages        string
	address, method string
}

// parse reads a command as a shell and then grpcurl do.
func parse(t *testing.T, line string) *command {
	t.Helper()
	words := strings.Split(strings.TrimSuffix(shell(t, `printf '%s\n'`+strings.TrimPrefix(line, "grpcurl")), "\n"), "\n")
	c := &command{t: t}
	f := flag.NewFlagSet("grpcurl", flag.ContinueOnError)
	plain := f.Bool("plaintext", false, "")
	f.StringVar(&c.ca, "cacert", "", "")
	f.StringVar(&c.authority, "authority", "", "")
	f.StringVar(&c.messages, "d", "", "")
	f.Func("H", "", func(h string) error {
		name, value, _ := strings.Cut(h, ": ")
		c.metadata = append(c.metadata, name, value)
		return nil
	})
	if err := f.Parse(words); err != nil || f.NArg() != 2 || *plain != (c.ca == "") {
		t.Fatalf("%s: %v", line, err)
	}
	c.address, c.method = f.Arg(0), f.Arg(1)
	return c
}

// run does what the command says. cells are those that the answers name.
func (c *command) run() (cells []string, err error) {
	creds := insecure.NewCredentials()
	if c.ca != "" {
		if creds, err = credentials.NewClientTLSFromFile(c.ca, ""); err != nil {
			return nil, err
		}
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(creds)}
	if c.authority != "" {
		options = append(options, grpc.WithAuthority(c.authority))
	}
	cc, err := grpc.NewClient(c.address, options...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = cc.Close() }()
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(c.t.Context(), c.metadata...), patience)
	defer cancel()
	client := echo.NewEchoClient(cc)
	switch c.method {
	case "homeward.demo.v1.Echo/Echo":
		answer, err := client.Echo(ctx, &echo.EchoRequest{Text: c.messages})
		return []string{answer.GetCell()}, err
	case "homeward.demo.v1.Echo/Repeat":
		stream, err := client.Repeat(ctx, &echo.RepeatRequest{})
		if err != nil {
			return nil, err
		}
		return answers(stream)
	case "homeward.demo.v1.Echo/Chat":
		stream, err := client.Chat(ctx)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(stream.Send(&echo.EchoRequest{Text: c.messages}), stream.CloseSend()); err != nil {
			return nil, err
		}
		return answers(stream)
	case "grpc.health.v1.Health/Check":
		_, err := healthv1.NewHealthClient(cc).Check(ctx, &healthv1.HealthCheckRequest{})
		return nil, err
	case "list":
		return nil, list(ctx, cc)
	}
	c.t.Fatalf("%s: a method that this test does not know", c.method)
	return nil, nil
}

// answers reads a stream to its end.
func answers(stream interface {
	Recv() (*echo.EchoResponse, error)
}) (cells []string, err error) {
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return cells, nil
		}
		if err != nil {
			return cells, err
		}
		cells = append(cells, answer.GetCell())
	}
}

func list(ctx context.Context, cc *grpc.ClientConn) error {
	info, err := reflectionv1.NewServerReflectionClient(cc).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	request := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := errors.Join(info.Send(request), info.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if _, err := info.Recv(); err != nil {
		return err
	}
	_, err = info.Recv()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func TestEveryCallShowsWhatItPromises(t *testing.T) {
	w := start(t, free())
	seen := map[codes.Code]bool{}
	for _, p := range w.promises("grpcurl") {
		c := parse(t, p.command)
		cells, err := c.run()
		code := status.Code(err)
		seen[code] = true
		for _, cell := range cells {
			if cell != p.cell && code != codes.Unauthenticated {
				t.Errorf("%s: promised %s -> %s, answered by %q", p.title, p.outcome, p.cell, cell)
			}
		}
		switch {
		case p.cell == "refused" && (code != codes.Unauthenticated || len(status.Convert(err).Details()) == 0):
			t.Errorf("%s: %v with %v", p.title, err, status.Convert(err).Details())
		case strings.Contains(p.command, "echo-fail") && (code != codes.DataLoss || len(cells) != 3):
			t.Errorf("%s: after %d answers %v", p.title, len(cells), err)
		case p.cell != "refused" && !strings.Contains(p.command, "echo-fail") && err != nil:
			t.Errorf("%s: %v", p.title, err)
		}
		if line := w.line(); !strings.Contains(line, "  "+p.outcome+" -> "+p.cell) {
			t.Errorf("%s: promised %s -> %s, the live line is\n%s", p.title, p.outcome, p.cell, line)
		}
	}
	for _, want := range []codes.Code{codes.OK, codes.DataLoss, codes.Unauthenticated} {
		if !seen[want] {
			t.Errorf("no call ends with %v", want)
		}
	}
}
