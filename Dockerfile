# The service as shipped. Debian, not Alpine: onnxruntime publishes no musl wheel.
FROM python:3.12-slim-bookworm AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/run.txt /build/run.txt
# The environment gets no pip of its own: the builder's installs into it.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --require-hashes --only-binary :all: -r /build/run.txt
COPY service /app/service
COPY fhir_mappings /app/fhir_mappings
COPY models /app/models
# Byte code is made here, since the service can write nowhere; unchecked, since its sources never change.
RUN python -m compileall -q --invalidation-mode unchecked-hash /app

FROM python:3.12-slim-bookworm
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="oncohooks" \
      org.opencontainers.image.description="CDS Hooks service: explainable pan-cancer survival scores from a FHIR record. Research use only." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing that installs software stays: pip, and the copy of it that venv would unpack.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.12/site-packages/* /usr/local/lib/python3.12/ensurepip
COPY LICENSE /app/LICENSE
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
# Owned by root and read by 65532: the service cannot change itself, and the root file system may be read-only.
WORKDIR /app
USER 65532:65532
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8080
HEALTHCHECK --start-period=20s --interval=10s --timeout=3s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
ENTRYPOINT ["python", "-m", "service.cli"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
