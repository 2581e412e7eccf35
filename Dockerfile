# JupyterLab with the notebooks, on the CPU, as an unprivileged user:
#   docker build -t cortexsim . && docker run --rm -p 127.0.0.1:8888:8888 cortexsim
# It prints the address with its token.
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 student
WORKDIR /opt/cortexsim
COPY . .
RUN python -m pip install --no-cache-dir ".[all]" && rm -rf /opt/cortexsim
USER student
WORKDIR /home/student
EXPOSE 8888
CMD ["cortexsim", "lab", "--no-browser", "--ip", "0.0.0.0", "--port", "8888"]
