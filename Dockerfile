# The server with the pure Go backend: a static program in an image without a shell.
#
#	docker build -t gowalrus .
#	docker run -p 8080:8080 gowalrus
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOEXPERIMENT=simd go build -trimpath -ldflags "-s -w" -o /gowalrus ./cmd/gowalrus

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /gowalrus /gowalrus
EXPOSE 8080
ENTRYPOINT ["/gowalrus"]
CMD ["serve", "--addr", "0.0.0.0:8080"]
