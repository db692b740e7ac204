# One static binary in an otherwise empty image, run by nobody. Nothing is written
# but /data, so the root may be read-only. It speaks MCP on stdio, so run it with -i:
#
#   docker build -t kol-portrait-mcp .
#   docker run -i --rm --read-only -e JUSTONEAPI_TOKEN -v kol-portraits:/data kol-portrait-mcp
#
# Over HTTP it listens where MCP_ADDR says, and beyond loopback asks for a token. The
# health check looks at MCP_TRANSPORT and MCP_ADDR too, so set these as variables, not as
# flags:
#
#   docker run --rm --read-only -p 127.0.0.1:8080:8080 -e MCP_TRANSPORT=http \
#     -e MCP_ADDR=0.0.0.0:8080 -e MCP_AUTH_TOKENS -e JUSTONEAPI_TOKEN \
#     -v kol-portraits:/data kol-portrait-mcp
#
# deploy/compose.yaml and deploy/kubernetes run it for a team. A release builds the image
# from this same file with BINARY=released, around the binaries that its archives hold.
ARG BINARY=built

FROM golang:1.26 AS built
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG COMMIT=unknown
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.commit=${COMMIT}" -o /out/kol-portrait-mcp .

FROM scratch AS released
ARG TARGETPLATFORM
COPY ${TARGETPLATFORM}/kol-portrait-mcp /out/kol-portrait-mcp

FROM ${BINARY} AS binary

# What the image holds beside the binary is the same for every platform.
FROM --platform=${BUILDPLATFORM} golang:1.26 AS files
RUN mkdir /data

FROM scratch
LABEL org.opencontainers.image.title="kol-portrait-mcp" \
      org.opencontainers.image.description="Who follows a Xiaohongshu creator, for AI agents over MCP" \
      org.opencontainers.image.source="https://github.com/kol-portrait-mcp/kol-portrait-mcp" \
      org.opencontainers.image.licenses="MIT" \
      io.modelcontextprotocol.server.name="io.github.kol-portrait-mcp/kol-portrait-mcp"
COPY --from=files /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=binary /out/kol-portrait-mcp /kol-portrait-mcp
# The store. A named volume takes over its owner.
COPY --from=files --chown=65532:65532 /data /data
ENV PORTRAIT_STORE=sqlite:/data/portraits.db
VOLUME /data
EXPOSE 8080
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/kol-portrait-mcp", "health"]
ENTRYPOINT ["/kol-portrait-mcp"]
