"""What households talk about, in English and Arabic. Faker has the names; what it lacks is here."""

from typing import NamedTuple

LANGUAGES = ("en", "ar")
LOCALES = {"en": "en_GB", "ar": "ar_SA"}


class Money(NamedTuple):
	"""A household's currencies: what `rate` of the second one costs, and how many of the first a riyal is worth."""

	base: str
	second: str
	rate: float
	scale: float


MONEY = (
	Money("SAR", "USD", 0.2667, 1),
	Money("YER", "SAR", 0.0071, 140),
	Money("AED", "USD", 0.2723, 1),
	Money("EGP", "SAR", 0.0776, 13),
	Money("GBP", "EUR", 1.1631, 0.2),
)
PHONES = (
	("android", "Samsung Galaxy A54"),
	("ios", "iPhone 13"),
	("android", "Xiaomi Redmi Note 12"),
	("android", "Huawei nova Y61"),
	("ios", "iPhone SE"),
	("android", "Google Pixel 7a"),
	("android", "Infinix Hot 30"),
	("ios", "iPhone 15 Pro"),
)
HOME = ("The {} household", "بيت {}")
ACCOUNTS = (
	# (end of the client id, kind, second currency, name, opening balance in riyals, colour)
	("cash", "cash", False, ("Cash", "نقد"), 900, "#27ae60"),
	("bank", "bank", False, ("Current account, {}", "حساب جارٍ، {}"), 14_000, "#2980b9"),
	("savings", "bank", True, ("Savings abroad", "مدخرات بالخارج"), 6_000, "#8e44ad"),
	("card", "credit", False, ("Card, {}", "بطاقة {}"), 0, "#c0392b"),
	("mobile", "wallet", False, ("Mobile wallet", "محفظة الجوال"), 250, "#f39c12"),
)
BANKS = (("Amanah Bank", "بنك الأمانة"), ("Gulf Trade Bank", "بنك تجارة الخليج"), ("Saba Bank", "بنك سبأ"))
# Categories of the household's own, below a default one: (end of the client id, parent, bucket, name).
CATEGORIES = (
	("coffee", "food", "wants", ("Coffee", "قهوة")),
	("bakery", "groceries", "needs", ("Bakery", "مخبز")),
	("fuel", "transport", "needs", ("Fuel", "وقود")),
	("school", "education", "needs", ("School fees", "رسوم المدرسة")),
)
SPENDING = {
	# category: (how often, usual amount in riyals, words for a note)
	"groceries": (30, 140, (("Weekly shopping", "تسوق الأسبوع"), ("Vegetables and fruit", "خضار وفواكه"))),
	"food": (22, 45, (("Lunch", "غداء"), ("Dinner with friends", "عشاء مع الأصدقاء"))),
	"coffee": (18, 16, (("Coffee", "قهوة"), ("Tea and cake", "شاي وكعك"))),
	"bakery": (12, 12, (("Bread", "خبز"),)),
	"fuel": (12, 80, (("Full tank", "تعبئة كاملة"),)),
	"transport": (8, 25, (("Taxi", "سيارة أجرة"), ("Bus pass", "تذكرة حافلة"))),
	"utilities": (5, 190, (("Electricity bill", "فاتورة الكهرباء"), ("Water", "ماء"))),
	"telecom": (5, 120, (("Internet", "إنترنت"), ("Phone top-up", "شحن رصيد"))),
	"health": (5, 160, (("Pharmacy", "صيدلية"), ("Dentist", "طبيب الأسنان"))),
	"school": (3, 650, (("Term fees", "رسوم الفصل"), ("Books", "كتب"))),
	"clothing": (5, 210, (("Clothes for the children", "ملابس للأطفال"),)),
	"family": (4, 300, (("Visit to the grandparents", "زيارة الأجداد"),)),
	"leisure": (6, 90, (("Cinema", "سينما"), ("Trip to the sea", "رحلة إلى البحر"))),
	"charity": (3, 100, (("Zakat", "زكاة"), ("Charity", "صدقة"))),
	"other-expense": (3, 60, (("Odds and ends", "متفرقات"),)),
}
EARNING = {
	"salary": (6, 7_500, (("Salary", "راتب"),)),
	"business": (4, 1_300, (("Sales", "مبيعات"), ("Work on the side", "عمل إضافي"))),
	"gift": (2, 400, (("Gift for the feast", "عيدية"),)),
	"other-income": (1, 150, (("Refund", "مبلغ مسترد"),)),
}
TRANSFER = (("To savings", "إلى المدخرات"), ("Cash from the machine", "سحب نقدي"))
BUCKETS = (
	# (end of the client id, name, percent of an income, colour)
	("needs", ("Needs", "ضروريات"), 50, "#2980b9"),
	("wants", ("Wants", "كماليات"), 30, "#e67e22"),
	("future", ("Future", "مستقبل"), 20, "#27ae60"),
)
TEMPLATE = ("Half, a third, a fifth", "نصف وثلث وخُمس")
RULE = ("Every income", "كل دخل")
BUDGETS = (
	# (end of the client id, period, category or None, name, amount in riyals)
	("month", "monthly", None, ("This month", "هذا الشهر"), 9_000),
	("food", "monthly", "food", ("Eating out", "أكل خارج البيت"), 900),
	("groceries", "monthly", "groceries", ("Groceries", "بقالة"), 2_400),
	("leisure", "quarterly", "leisure", ("Leisure", "ترفيه"), 1_200),
	("year", "yearly", "family", ("Family visits", "زيارات العائلة"), 5_000),
)
GOALS = (
	# (end of the client id, kind, link, what it links to, name, target in riyals)
	("umrah", "save", "linked_account", "savings", ("Umrah", "عمرة"), 12_000),
	("emergency", "save", "linked_account", "bank", ("For a rainy day", "للطوارئ"), 30_000),
	("car", "pay_debt", "linked_debt", "car", ("Car paid off", "سداد السيارة"), 24_000),
)
DEBTS = (
	# (end of the client id, direction, counterparty type, name, amount in riyals, installments, of them paid)
	("car", "owe", "local", ("Car loan", "قرض السيارة"), 24_000, 12, 5),
	("friend", "owed_to_me", "local", ("Lent to a friend", "سلفة لصديق"), 1_500, 3, 3),
	("cousin", "owe", "user_phone", ("From a cousin", "من ابن العم"), 2_000, 4, 0),
)
JAMEYA = ("Jameya of the neighbours", "جمعية الجيران")
RECURRING = (
	# (end of the client id, type, category, account, name, amount in riyals, day of the month)
	("rent", "expense", "housing", "bank", ("Rent", "إيجار"), 2_200, 1),
	("internet", "expense", "telecom", "card", ("Internet", "إنترنت"), 230, 5),
	("salary", "income", "salary", "bank", ("Salary", "راتب"), 7_500, 27),
)
SKIPPED = ("Paid by the landlord", "دفعها المالك")
CUSTOM = {
	"code": "XAU21",
	"name_en": "Gold, 21 carat, gram",
	"name_ar": "ذهب عيار ٢١ غرام",
	"symbol": "غ",
	"decimals": 3,
}
PLACES = (
	("{} Stores", "متاجر {}"),
	("{} Bakery", "مخبز {}"),
	("{} and Sons", "{} وأولاده"),
	("{} Pharmacy", "صيدلية {}"),
	("{} Market", "سوق {}"),
	("{} Restaurant", "مطعم {}"),
)
AT = ("{}, {}", "{}، {}")
# What a person adds to a note later, and what another one writes meanwhile.
LATER = (("{}, shared", "{}، مشترك"), ("{} (checked)", "{} (مراجع)"), ("{}, see receipt", "{}، انظر الإيصال"))
