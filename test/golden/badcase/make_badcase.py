"""badcase.json: what statsmodels, scikit-learn and SciPy make of overlapping traits of failed rows.

    pip install statsmodels==0.15.0 scikit-learn && python test/golden/badcase/make_badcase.py
"""
import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep

rng = np.random.default_rng(7)
users = np.repeat(np.arange(60), 4)
taste = rng.normal(size=60)[users]  # rows of a user resemble one another
traits = np.stack([taste + rng.normal(size=240) > 0, rng.random(240) < 0.3, taste - rng.normal(size=240) > 1], 1)
failed = rng.random(240) < 1 / (1 + np.exp(-(-0.4 + 0.9 * traits[:, 0] + 0.2 * traits[:, 1] + 0.8 * taste)))
x, y = traits.astype(float), failed.astype(float)

plain = sm.Logit(y, sm.add_constant(x)).fit(
    disp=0, tol=1e-14, cov_type="cluster", cov_kwds={"groups": users, "use_correction": False}
)
ridged = LogisticRegression(C=1 / 0.5, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(x, y)
# shares with a log link: its coefficient is the log of their ratio; a trait of users, so that it pays to mind them
kind = (taste > 0).astype(float)
ratio = sm.GLM(kind, sm.add_constant(y), family=sm.families.Poisson()).fit(
    tol=1e-14, cov_type="cluster", cov_kwds={"groups": users, "use_correction": False}
)
low, high = confint_proportions_2indep(30, 100, 10, 100, compare="ratio", method="log")
ps = [0.011, 0.04, 0.03, 0.2, 0.011, 0.0004]
zs = [0, 0.1, 1, 1.96, 2.9999, 3, 5, 12, 30]
golden = {
    "users": users.tolist(),
    "traits": traits.astype(int).tolist(),
    "kind": kind.astype(int).tolist(),
    "failed": failed.astype(int).tolist(),
    "logit": {"beta": plain.params.tolist(), "errors": plain.bse.tolist()},
    "ridge": {"beta": [float(ridged.intercept_[0]), *ridged.coef_[0].tolist()]},
    "ratio": {"lift": float(np.exp(ratio.params[1])), "error": float(ratio.bse[1]), "p": float(ratio.pvalues[1])},
    "katz": {"low": float(low), "high": float(high)},
    "holm": {"ps": ps, "corrected": multipletests(ps, method="holm")[1].tolist()},
    "normal": [[z, float(2 * norm.sf(z))] for z in zs],
}
pathlib.Path(__file__).with_name("badcase.json").write_text(json.dumps(golden) + "\n")
