"""Pictures drawn by diffusion models in this process; the only package that imports torch and diffusers to draw."""
