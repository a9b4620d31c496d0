package http1

import (
	"errors"
	"io"
	"strconv"
)

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// AppendRequestLine appends the first line of a request.
func AppendRequestLine(dst []byte, method, target string) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	return append(dst, " HTTP/1.1\r\n"...)
}

// AppendStatusLine appends the first line of an answer.
func AppendStatusLine(dst []byte, status int, reason string) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason...)
	return append(dst, "\r\n"...)
}

// AppendField appends one field line. The caller vouches for name and value:
// they were read by this package or made by the program.
func AppendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// ChunkRoom is the space before and behind a chunk's content that FrameChunk
// needs.
const ChunkRoom = 18

// FrameChunk makes a chunk of the content buf[ChunkRoom:ChunkRoom+n], n > 0, in
// place, so that it leaves in one write. buf must have two bytes behind it.
func FrameChunk(buf []byte, n int) []byte {
	const digits = "0123456789abcdef"
	i := ChunkRoom - 2
	buf[i], buf[i+1] = '\r', '\n'
	for size := n; size > 0; size >>= 4 {
		i--
		buf[i] = digits[size&15]
	}
	end := ChunkRoom + n
	buf[end], buf[end+1] = '\r', '\n'
	return buf[i : end+2]
}

// AppendChunkSize appends the size of a chunk of n bytes, n > 0, which the content
// and a CRLF follow.
func AppendChunkSize(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16) //nolint:gosec // not negative
	return append(dst, "\r\n"...)
}

// AppendLastChunk appends the last chunk with the trailer.
func AppendLastChunk(dst []byte, trailer []Field) []byte {
	dst = append(dst, "0\r\n"...)
	for _, f := range trailer {
		dst = AppendField(dst, f.Name, f.Value)
	}
	return append(dst, "\r\n"...)
}
