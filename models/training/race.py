"""The words of the column `race`: whom subgroups are told apart by, and nothing else.

Those of the United States' Office of Management and Budget (Statistical Policy Directive 15 of 2024, one question for
race and ethnicity), and `other`, which is also more than one of them. It is what a source states, by its own question
or clerk. It is no parameter of the catalogue and no input of any model: a difference between groups is to be seen, and
never to be scored.
"""

from typing import Literal, get_args

Race = Literal["american_indian", "asian", "black", "hispanic", "middle_eastern", "pacific_islander", "white", "other"]
RACES: tuple[Race, ...] = get_args(Race)
NOT_STATED = ""  # not asked, refused, unknown, or free text
