# One static binary in an otherwise empty image. It speaks MCP on stdio, so run
# it with -i:
#
#   docker build -t kol-portrait-mcp .
#   docker run -i --rm -e JUSTONEAPI_TOKEN -v kol-portraits:/data kol-portrait-mcp
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG COMMIT=unknown
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.commit=${COMMIT}" -o /out/kol-portrait-mcp .
RUN mkdir /data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/kol-portrait-mcp /kol-portrait-mcp
# The store. A named volume takes over its owner.
COPY --from=build --chown=65532:65532 /data /data
ENV PORTRAIT_STORE=sqlite:/data/portraits.db
VOLUME /data
USER 65532:65532
ENTRYPOINT ["/kol-portrait-mcp"]
