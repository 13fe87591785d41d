# syntax=docker/dockerfile:1
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY batchgen batchgen
RUN python -m pip wheel --quiet --no-deps --wheel-dir /dist .
RUN python -m venv --without-pip /opt/batchgen
RUN python -m pip --python /opt/batchgen/bin/python install --quiet --no-cache-dir -c constraints.txt "$(echo /dist/*.whl)[distributed]"

FROM python:3.13-slim
LABEL org.opencontainers.image.title="batchgen" \
      org.opencontainers.image.description="Generates everything that a YAML manifest lists, with the Scenario API" \
      org.opencontainers.image.licenses="MIT"
# PID 1 has no default for signals: tini passes SIGTERM on from the first moment, and the exit status back
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin batchgen \
 && install -d -o 10001 -g 10001 /output
COPY --from=build /opt/batchgen /opt/batchgen
ENV PATH=/opt/batchgen/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /manifest
VOLUME /output
STOPSIGNAL SIGTERM
# the journal can be read; a run that goes on is not disturbed
HEALTHCHECK --interval=5m --timeout=30s --start-period=30s CMD ["batchgen", "status", "-o", "/output", "--json"]
ENTRYPOINT ["tini", "--", "batchgen"]
CMD ["--help"]
