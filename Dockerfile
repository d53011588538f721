# Tollgate as a container.
#
#   docker build -t tollgate .
#   docker run -p 8080:8080 -v tollgate-data:/data \
#     -e ADMIN_TOKEN="$(openssl rand -hex 32)" -e ENCRYPTION_SECRET="$(openssl rand -hex 32)" \
#     -e BASE_URL=https://gateway.example.com tollgate
#
# Keep both secrets: the same ones are needed at every start. The image holds none. It runs in production mode, so
# it refuses to start without them and says so; for a look around add `-e TOLLGATE_ENV=development` instead, and
# it makes its own in the volume. All state is in /data: that folder is what to back up.
#
# To connect accounts whose vendor sends the browser to a fixed port of your machine, map that port to its loopback
# address and let Tollgate listen on the container's: `-p 127.0.0.1:54545:54545 -e OAUTH_CALLBACK_HOST=0.0.0.0`.
#
# Put a reverse proxy with TLS in front (production cookies are marked Secure), and tell TRUST_PROXY its network.

FROM rust:1.95-bookworm AS builder
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
# The bundle first: the server embeds it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask bundle --release \
    && cargo build --release --locked --package server --bin tollgate \
    && install -D -m 0755 target/release/tollgate /out/tollgate

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 tollgate \
    && useradd --system --uid 10001 --gid tollgate --home-dir /data --no-create-home --shell /usr/sbin/nologin tollgate \
    && install -d -m 0700 -o tollgate -g tollgate /data
COPY --from=builder /out/tollgate /usr/local/bin/tollgate
ENV TOLLGATE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data \
    LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s --retries=3 CMD ["tollgate", "healthcheck"]
ENTRYPOINT ["tollgate"]
CMD ["serve"]
