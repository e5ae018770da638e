package iam_test

import (
	"context"
	"testing"

	"aerie/services/iam"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func benchService(b *testing.B) (*iam.Service, iam.Login) {
	b.Helper()
	s := iam.New(storetest.Open(b), iam.Options{})
	if _, err := s.Bootstrap(b.Context(), "secret"); err != nil {
		b.Fatal(err)
	}
	l, err := s.Login(b.Context(), iam.LoginRequest{Username: "admin", Password: "secret"})
	if err != nil {
		b.Fatal(err)
	}
	return s, l
}

func BenchmarkLogin(b *testing.B) {
	s, _ := benchService(b)
	for b.Loop() {
		if _, err := s.Login(b.Context(), iam.LoginRequest{Username: "admin", Password: "secret"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSessionActor(b *testing.B) {
	s, l := benchService(b)
	for b.Loop() {
		if _, err := s.SessionActor(b.Context(), l.Token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReserveFive(b *testing.B) {
	s, l := benchService(b)
	ctx := store.System(b.Context(), "bench")
	o := l.Owner
	o.DomainPath = "/" // an unlimited account of ROOT
	for b.Loop() {
		err := s.DB().Tx(ctx, func(ctx context.Context) error {
			return s.ReserveAll(ctx, o, iam.Amounts{iam.Instances: 1, iam.CPUs: 2, iam.Memory: 512, iam.Volumes: 1, iam.PrimaryStorage: 1 << 30})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
