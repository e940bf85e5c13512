"""The reports room: what the municipality and the clubs read of a month or a quarter, on the page, as PDF and as XLSX.

Owns Report (frozen figures) and ReaderLink (a way in that ends). Words: *figures* are counts and sums of a period;
to *freeze* a report is to keep its figures as they were sent.
Promises: numbers, never names; a frozen report never changes, a later correction shows beside it.
"""
