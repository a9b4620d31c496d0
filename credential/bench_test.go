package credential_test

import (
	"testing"

	"github.com/homeward/homeward/credential"
)

// BenchmarkRead reads the first vector of each format.
func BenchmarkRead(b *testing.B) {
	v := loadVectors(b)
	formats := formats(v)
	done := map[string]bool{}
	for _, v := range v.Vectors {
		if done[v.Format] || v.Outcome != "home" {
			continue
		}
		done[v.Format] = true
		b.Run(v.Format, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(v.Credential)))
			f := formats[v.Format]
			for b.Loop() {
				if f.Read(v.Credential).Verdict != credential.Home {
					b.Fatal(v.Name)
				}
			}
		})
	}
}

func BenchmarkFingerprint(b *testing.B) {
	const text = "pat-eu1-47eaa099-2cb6-416d-86dc-283cf0480ff9"
	var key credential.FingerprintKey
	b.ReportAllocs()
	for b.Loop() {
		key.Fingerprint(text)
	}
}
