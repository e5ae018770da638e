package image

import (
	"crypto/md5"  // checksums that publishers give
	"crypto/sha1" // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"strings"

	"aerie/services/fault"
)

// A file is only ever taken for what it was registered as; these refuse one
// that would make a hypervisor open something else, or more than it says.

// qcow2 is the head of a QCOW2 file (QEMU docs/interop/qcow2.txt).
type qcow2 struct {
	Magic         uint32
	Version       uint32
	BackingOffset uint64
	BackingSize   uint32
	ClusterBits   uint32
	Size          uint64
	CryptMethod   uint32
	L1Size        uint32
	L1Offset      uint64
	RefOffset     uint64
	RefClusters   uint32
	Snapshots     uint32
	SnapOffset    uint64
	Incompatible  uint64 // version 3 on
}

const (
	qcow2Magic = 0x514649fb
	// Incompatible features that change where data is or how it is read: bit 2
	// external data file, bit 4 extended L2 entries; bits 0 and 1 mean that the
	// file was not closed properly. Bit 3, compression type, is fine.
	qcow2Refused = ^uint64(1 << 3)
	maxVirtual   = 64 << 40
)

// inspect checks a downloaded file and returns its virtual size in bytes.
func inspect(path, format string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var head qcow2
	err = binary.Read(f, binary.BigEndian, &head)
	isQcow2 := err == nil && head.Magic == qcow2Magic
	switch strings.ToUpper(format) {
	case "QCOW2":
		return checkQcow2(head, isQcow2)
	case "RAW":
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		if isQcow2 || info.Size() == 0 || info.Size()%512 != 0 {
			return 0, fault.Param("format", "error.image_format", "format", format)
		}
		return info.Size(), nil
	}
	return 0, fault.Param("format", "error.image_format", "format", format)
}

func checkQcow2(h qcow2, is bool) (int64, error) {
	switch {
	case !is, h.Version < 2, h.Version > 3, h.CryptMethod != 0:
		return 0, fault.Param("format", "error.image_format", "format", "QCOW2")
	case h.BackingOffset != 0, h.Version == 3 && h.Incompatible&qcow2Refused != 0, h.Snapshots != 0:
		return 0, fault.Param("url", "error.image_unsafe")
	case h.Size == 0, h.Size > maxVirtual:
		return 0, fault.Param("url", "error.image_too_large", "max", int64(maxVirtual))
	}
	return int64(h.Size), nil
}

var sums = map[string]func() hash.Hash{"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-512": sha512.New}

// splitSum reads {SHA-256}…; a bare sum is told by its length, as CloudStack does.
func splitSum(text string) (algorithm, sum string, err error) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "{"); ok {
		algorithm, sum, _ = strings.Cut(rest, "}")
		algorithm = strings.ToUpper(algorithm)
	} else {
		sum = text
		algorithm = map[int]string{32: "MD5", 40: "SHA-1", 64: "SHA-256", 128: "SHA-512"}[len(text)]
	}
	sum = strings.ToLower(sum)
	raw, hexErr := hex.DecodeString(sum)
	if sums[algorithm] == nil || hexErr != nil || len(raw) != sums[algorithm]().Size() {
		return "", "", fault.Param("checksum", "error.checksum_form")
	}
	return algorithm, sum, nil
}

// checkSum compares a file with the checksum it was registered with.
func checkSum(path, want string) error {
	if want == "" {
		return nil
	}
	algorithm, sum, err := splitSum(want)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sums[algorithm]()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if have := hex.EncodeToString(h.Sum(nil)); have != sum {
		return fault.Param("checksum", "error.checksum", "want", sum, "have", have)
	}
	return nil
}
