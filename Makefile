# Aliases for run.py, which does the work and needs only Python.
.PHONY: plan test setup ci

plan:
	python3 run.py plan

test:
	python3 run.py test

setup:
	python3 run.py setup dev

ci:
	bash .ci/run
