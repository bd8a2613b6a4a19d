# One image, the one binary. It has not been built with a container engine yet:
# the commands in it are those of .ci/run, on the same Debian.

FROM rust:1.95-bookworm AS build
WORKDIR /daybook
COPY . .
RUN cargo build --release --locked --package daybook-app \
    && strip --strip-debug target/release/daybook

FROM debian:bookworm-slim
# The authorities by which brokers and servers are known where no file of them is set.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin daybook
COPY --from=build /daybook/target/release/daybook /usr/local/bin/daybook
USER daybook
ENV DAYBOOK_LISTEN=0.0.0.0:8080 DAYBOOK_LOG_FORMAT=json
EXPOSE 8080
# Stops gracefully on SIGTERM: open requests end, the projector gives its lanes back.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/daybook"]
CMD ["serve"]
