# One machine's worth of QStudio: dashboard, workers and training on the processor.
#   docker build -t qstudio .
#   docker run -p 8000:8000 -v qstudio-data:/data qstudio
# The login is printed in the container's log at the first start.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    QSTUDIO_DATA_DIR=/data

RUN useradd --create-home qstudio && install -d -o qstudio /app /data
WORKDIR /app

COPY requirements/base.txt requirements/train.txt requirements/
RUN pip install --no-cache-dir -r requirements/base.txt -r requirements/train.txt

COPY --chown=qstudio . .
USER qstudio
VOLUME /data
EXPOSE 8000

# `up` ends its processes and saves running work when the container is stopped; give it time: `docker stop -t 60`.
STOPSIGNAL SIGTERM
CMD ["python", "manage.py", "up", "--host", "0.0.0.0"]
