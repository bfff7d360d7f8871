"""Wrong answers to the exercises of lesson 5, as readers write them, and words of the mistake that is named."""

import math

WRONG = {
    "5.1": [
        (lambda tau: 0.693147 * tau, "exp(-t / tau)"),
        (lambda tau: math.log(2) / math.log(tau), "what *leaks*"),
        (lambda tau: 0.5 * tau, "same *amount*"),
        (lambda tau: math.log(1 - 1 / tau) / math.log(0.5), "upside down"),
        (lambda tau: math.log(2) / math.log(1 - 1 / tau), "negative"),
    ],
    "5.2": [
        (("blocks.1.mlp.hidden.neuron", 4.5), "nearly the tau"),
        (("blocks.1.mlp.hidden", 1.0), "no layer"),
        (("blocks.1.mlp.hidden.neuron", 0.5), "1 or more"),
        (("blocks.1.attention.key.neuron", 7.0), "slower"),
    ],
}
