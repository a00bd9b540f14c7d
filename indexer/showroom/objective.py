"""What training minimises, and how it disturbs its images.

InfoNCE (van den Oord 2018, arXiv:1807.03748) with several positives: a text is pulled to every image in the batch it
is true of (the mean over positives outside the logarithm, as in Khosla 2020, arXiv:2004.11362), and a photo to the
studio view of the same product.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def text_loss(texts: Tensor, images: Tensor, facts: Tensor, scale: Tensor) -> Tensor:
    """InfoNCE in both directions between texts (t, dim) and images; facts (t, n).

    Images are (m · n, dim): m pictures of each product, all products of the first picture before the second.
    """
    logits = scale * texts @ images.T
    true = facts.repeat(1, len(images) // facts.shape[1]).float()
    return (_cross_entropy(logits, true) + _cross_entropy(logits.T, true.T)) / 2


def photo_loss(photos: Tensor, studio: Tensor, kin: Tensor, kinship: float, scale: Tensor) -> Tensor:
    """InfoNCE in both directions; the product's own pair gets 1 − kinship, its family (n, n) shares the rest."""
    logits = scale * photos @ studio.T
    own = torch.eye(len(photos), device=photos.device)
    relatives = kin.float() - own
    target = (1 - kinship) * own + kinship * relatives / relatives.sum(dim=1, keepdim=True).clamp(min=1)
    return (_cross_entropy(logits, target) + _cross_entropy(logits.T, target.T)) / 2


def _cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over rows of the cross entropy against each row's target, which is normalised to sum 1."""
    share = target / target.sum(dim=1, keepdim=True).clamp(min=1e-6)
    return -(share * logits.log_softmax(dim=1)).sum(dim=1).mean()


def augmented(images: Tensor, photo: bool, generator: torch.Generator) -> Tensor:
    """Images (n, 3, h, w) in [-1, 1], each moved, scaled and relit a little; photos more, and partly hidden or soft."""
    n, device = len(images), images.device
    reach = 1.0 if photo else 0.5

    def spread(*shape: int) -> Tensor:
        return (torch.rand(shape, generator=generator) * 2 - 1).to(device)

    angle, size = 0.10 * reach * spread(n), 1.0 + 0.10 * reach * spread(n)
    rotation = torch.stack([size * angle.cos(), -size * angle.sin(), size * angle.sin(), size * angle.cos()], dim=1)
    theta = torch.cat([rotation.view(n, 2, 2), 0.07 * reach * spread(n, 2, 1)], dim=2)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    x = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    soft = (0.6 * reach * spread(n, 1, 1, 1)).clamp(min=0)
    x = x.lerp(F.conv2d(x, torch.full((3, 1, 3, 3), 1 / 9, device=device), padding="same", groups=3), soft)
    x = x * (1 + 0.10 * reach * spread(n, 1, 1, 1) + 0.03 * spread(n, 3, 1, 1)) + 0.06 * reach * spread(n, 1, 1, 1)
    if photo:
        _hide(x, generator)
    return x.clamp_(-1, 1).contiguous(memory_format=torch.channels_last)


def _hide(images: Tensor, generator: torch.Generator) -> None:
    """Covers a random rectangle, up to a third of each side, of one image in four, in place."""
    side = images.shape[-1]
    for image in images[torch.rand(len(images), generator=generator).to(images.device) < 0.25]:
        height, width = torch.randint(side // 10, side // 3, (2,), generator=generator).tolist()
        top, left = (torch.rand(2, generator=generator) * (side - side // 3)).long().tolist()
        image[:, top : top + height, left : left + width] = torch.rand(3, 1, 1, generator=generator).to(image) * 2 - 1
