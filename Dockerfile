# SIDLab in a container.  docker build -t sidlab .   (processors)
#                         docker build -t sidlab-gpu --build-arg SETUP=later .   (see docs/cluster.md)
# SETUP=now installs and builds everything into the image. SETUP=later leaves that to the first command in the container:
# which TensorFlow is needed is asked of the machine, and a GPU is not there while an image is built.
FROM node:24-bookworm

ARG SETUP=now

# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends g++ python3 python3-venv \
  && rm -rf /var/lib/apt/lists/* \
  && install --directory --owner=node --group=node /sidlab

USER 1000
WORKDIR /sidlab
COPY --chown=node:node . .
RUN if [ "$SETUP" = now ]; then npm run setup; fi

ENTRYPOINT ["npm", "run", "--silent"]
CMD ["start"]
