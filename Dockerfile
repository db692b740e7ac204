# One static binary in an otherwise empty image. It speaks MCP on stdio, so run
# it with -i:
#
#   docker build -t kol-portrait-mcp .
#   docker run -i --rm -e JUSTONEAPI_TOKEN -v kol-portraits:/data kol-portrait-mcp
#
# Over HTTP it listens where MCP_ADDR says, and beyond loopback asks for a token:
#
#   docker run --rm -p 127.0.0.1:8080:8080 -e MCP_TRANSPORT=http -e MCP_ADDR=0.0.0.0:8080 \
#     -e MCP_AUTH_TOKENS -e JUSTONEAPI_TOKEN -v kol-portraits:/data kol-portrait-mcp
#
# deploy/compose.yaml and deploy/kubernetes run it for a team.
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
EXPOSE 8080
USER 65532:65532
ENTRYPOINT ["/kol-portrait-mcp"]
