"""A service like Scenario's, to rehearse and to test against: prices, ceilings, lags and faults included.

The core is pure: time is passed in and chance is drawn from a seed, so that the same calls at
the same times give the same answers. Only ``front`` speaks HTTP and knows a clock, only
``pictures`` draws (with ``effects``, ``vectors``, ``meshes``, ``sounds`` and ``clips``), and only
``log`` touches a file that is not the package's own.
"""
