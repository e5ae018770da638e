package portal_test

import (
	"log/slog"

	"github.com/labstack/echo/v4"
)

type echoContext = echo.Context

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
