"""Writes python_box_cox.txt. Run: pip install scipy==1.18.1 coreforecast==0.0.20 && python python_box_cox.py"""

import coreforecast
import numpy as np
import scipy
from coreforecast.scalers import boxcox_lambda
from scipy.special import boxcox
from scipy.stats import boxcox_normmax

# Monthly totals of international airline passengers, 1949 to 1960, in thousands (Box & Jenkins, series G).
AIR = """112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140
145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194
196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229
242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405 355 306 271 306
315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337
360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432"""

rng = np.random.default_rng(3)
sets = {
    "air": (12, np.array([float(value) for value in AIR.split()])),
    "gamma": (7, np.round(rng.gamma(2.0, 10.0, 200) + 0.5, 3)),
    "growth": (4, np.round(np.exp(rng.normal(0, 0.1, 120).cumsum()) * 50 + rng.gamma(9.0, 1.0, 120), 3)),
}
with open("python_box_cox.txt", "w") as out:
    print(f"# Lambda by Guerrero's method (coreforecast {coreforecast.__version__}) and by likelihood (scipy {scipy.__version__}),", file=out)
    print("# and the transform at the latter; written by python_box_cox.py.", file=out)
    for name, (season, values) in sets.items():
        guerrero = boxcox_lambda(values, "guerrero", season, lower=-1.0, upper=2.0)
        likelihood = boxcox_normmax(values, method="mle")
        print(name, season, repr(float(guerrero)), repr(float(likelihood)), file=out)
        print(*(repr(float(value)) for value in values), file=out)
        print(*(repr(float(value)) for value in boxcox(values, likelihood)), file=out)
