# Shortcuts; each is one command that can also be typed.
.PHONY: help demo test race lint fuzz bench bench-short bench-decide schema proto examples large largest soak ci

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

demo: ## a whole world on this machine: three cells and an edge
	go run ./cmd/homeward demo

test: ## all tests
	./test.sh

race: ## all tests with the race detector
	./test.sh -race

lint: ## gofmt, go vet, staticcheck, the rules of the house
	test -z "$$(gofmt -l .)" && go vet ./... && go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./... && go test ./internal/arch

fuzz: ## one fuzz target: make fuzz PKG=./credential FUZZ=FuzzJWT TIME=60s
	go test -run '^$$' -fuzz '^$(FUZZ)$$' -fuzztime $(or $(TIME),30s) $(PKG)

bench: ## what a request costs beside nginx, HAProxy and Caddy; half an hour
	go run ./bench

bench-short: ## the same for three workloads beside nginx and HAProxy; minutes
	go run ./bench -short

bench-decide: ## the benchmarks of the decision
	go test -run '^$$' -bench . -benchmem -count 6 ./route

schema: ## write the JSON Schema of the topology file anew
	mkdir -p schema && go run ./cmd/homeward schema > schema/topology.schema.json

proto: ## generate the gRPC code of the demo's cells anew; needs protoc (apt install protobuf-compiler)
	bin=$$(mktemp -d) && trap 'rm -rf "$$bin"' EXIT && \
	GOBIN=$$bin go install google.golang.org/protobuf/cmd/protoc-gen-go && \
	GOBIN=$$bin go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2 && \
	PATH=$$bin:$$PATH protoc -I internal/testcell/echo --go_out=internal/testcell/echo --go_opt=paths=source_relative \
		--go-grpc_out=internal/testcell/echo --go-grpc_opt=paths=source_relative echo.proto

examples: ## clients of all kinds through an edge, each a proof
	set -e; for run in examples/*/run.sh; do $$run; done

large: ## a gibibyte each way between every client and every gateway, and the memory that fifty streams take
	go test -count=1 -timeout 30m -run ProtocolMatrix ./internal/edge -matrix.size=1073741824
	go test -count=1 -timeout 30m -run Memory ./cmd/homeward-edge -memory.size=1073741824

largest: ## the same with ten gibibytes: half an hour
	go test -count=1 -timeout 3h -run 'ProtocolMatrix/.*/.*/large' ./internal/edge -matrix.size=10737418240
	go test -count=1 -timeout 3h -run Memory ./cmd/homeward-edge -memory.size=10737418240

soak: ## requests of all kinds for five minutes, and what grows meanwhile: make soak TIME=1h
	go test -count=1 -timeout 0 -v -run Soak ./cmd/homeward-edge -soak.time=$(or $(TIME),5m)

ci: ## everything that must hold before a change is taken
	.ci/run
