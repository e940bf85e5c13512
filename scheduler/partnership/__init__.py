"""The partnership room: the tenant and what it has agreed on.

Owns Partnership (one municipality and one coordinating club), Agreement (one term, with its night rate and
budget lines), Club and Area. Every other row of the product belongs to a partnership.
Promises: sums are whole öre; what is unallocated is derived, never stored.
"""
