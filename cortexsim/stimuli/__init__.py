"""What is shown: images, masks and presentations over time."""
