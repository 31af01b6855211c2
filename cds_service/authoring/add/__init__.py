"""`cds add`: writes into a site's folder what a new drug, laboratory test or rule needs."""
