"""The appliance as it boots: its tree is built as the image is, started in a container, and used."""
