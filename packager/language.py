"""Language codes: what MP4 writes (ISO 639-2), what manifests want (BCP 47), what a menu shows."""

from __future__ import annotations

# ISO 639-1, then every ISO 639-2 code of that language: terminological, bibliographic.
_ISO_639 = """
aa aar      ab abk      ae ave      af afr      ak aka      am amh      an arg      ar ara
as asm      av ava      ay aym      az aze      ba bak      be bel      bg bul      bi bis
bm bam      bn ben      bo bod tib  br bre      bs bos      ca cat      ce che      ch cha
co cos      cr cre      cs ces cze  cu chu      cv chv      cy cym wel  da dan      de deu ger
dv div      dz dzo      ee ewe      el ell gre  en eng      eo epo      es spa      et est
eu eus baq  fa fas per  ff ful      fi fin      fj fij      fo fao      fr fra fre  fy fry
ga gle      gd gla      gl glg      gn grn      gu guj      gv glv      ha hau      he heb
hi hin      ho hmo      hr hrv      ht hat      hu hun      hy hye arm  hz her      ia ina
id ind      ie ile      ig ibo      ii iii      ik ipk      io ido      is isl ice  it ita
iu iku      ja jpn      jv jav      ka kat geo  kg kon      ki kik      kj kua      kk kaz
kl kal      km khm      kn kan      ko kor      kr kau      ks kas      ku kur      kv kom
kw cor      ky kir      la lat      lb ltz      lg lug      li lim      ln lin      lo lao
lt lit      lu lub      lv lav      mg mlg      mh mah      mi mri mao  mk mkd mac  ml mal
mn mon      mr mar      ms msa may  mt mlt      my mya bur  na nau      nb nob      nd nde
ne nep      ng ndo      nl nld dut  nn nno      no nor      nr nbl      nv nav      ny nya
oc oci      oj oji      om orm      or ori      os oss      pa pan      pi pli      pl pol
ps pus      pt por      qu que      rm roh      rn run      ro ron rum  ru rus      rw kin
sa san      sc srd      sd snd      se sme      sg sag      si sin      sk slk slo  sl slv
sm smo      sn sna      so som      sq sqi alb  sr srp      ss ssw      st sot      su sun
sv swe      sw swa      ta tam      te tel      tg tgk      th tha      ti tir      tk tuk
tl tgl      tn tsn      to ton      tr tur      ts tso      tt tat      tw twi      ty tah
ug uig      uk ukr      ur urd      uz uzb      ve ven      vi vie      vo vol      wa wln
wo wol      xh xho      yi yid      yo yor      za zha      zh zho chi  zu zul
"""

_NAMES = {
    "af": "Afrikaans",
    "am": "አማርኛ",
    "ar": "العربية",
    "az": "Azərbaycanca",
    "be": "Беларуская",
    "bg": "Български",
    "bn": "বাংলা",
    "bs": "Bosanski",
    "ca": "Català",
    "cs": "Čeština",
    "cy": "Cymraeg",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "en-gb": "English (UK)",
    "es": "Español",
    "es-419": "Español (Latinoamérica)",
    "es-es": "Español (España)",
    "es-mx": "Español (México)",
    "et": "Eesti",
    "eu": "Euskara",
    "fa": "فارسی",
    "fi": "Suomi",
    "fil": "Filipino",
    "fr": "Français",
    "fr-ca": "Français (Canada)",
    "fr-fr": "Français (France)",
    "ga": "Gaeilge",
    "gl": "Galego",
    "gu": "ગુજરાતી",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "hy": "Հայերեն",
    "id": "Bahasa Indonesia",
    "is": "Íslenska",
    "it": "Italiano",
    "ja": "日本語",
    "ka": "ქართული",
    "kk": "Қазақша",
    "km": "ខ្មែរ",
    "kn": "ಕನ್ನಡ",
    "ko": "한국어",
    "lo": "ລາວ",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "mk": "Македонски",
    "ml": "മലയാളം",
    "mn": "Монгол",
    "mr": "मराठी",
    "ms": "Bahasa Melayu",
    "mt": "Malti",
    "my": "မြန်မာ",
    "nb": "Norsk bokmål",
    "ne": "नेपाली",
    "nl": "Nederlands",
    "nn": "Norsk nynorsk",
    "no": "Norsk",
    "pa": "ਪੰਜਾਬੀ",
    "pl": "Polski",
    "pt": "Português",
    "pt-br": "Português (Brasil)",
    "pt-pt": "Português (Portugal)",
    "ro": "Română",
    "ru": "Русский",
    "si": "සිංහල",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "sq": "Shqip",
    "sr": "Српски",
    "sv": "Svenska",
    "sw": "Kiswahili",
    "ta": "தமிழ்",
    "te": "తెలుగు",
    "th": "ไทย",
    "tl": "Tagalog",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "uz": "O'zbekcha",
    "vi": "Tiếng Việt",
    "yue": "粵語",
    "zh": "中文",
    "zh-cn": "中文 (简体)",
    "zh-hans": "中文 (简体)",
    "zh-hant": "中文 (繁體)",
    "zh-tw": "中文 (繁體)",
    "zu": "isiZulu",
}


def _by_iso_639_2() -> dict[str, str]:
    shortest: dict[str, str] = {}
    two = ""
    for word in _ISO_639.split():
        if len(word) == 2:
            two = word
        else:
            shortest[word] = two
    return shortest


_SHORTEST = _by_iso_639_2()
_KNOWN = {*_SHORTEST, *_SHORTEST.values(), *(tag for tag in _NAMES if "-" not in tag)}


def bcp47(code: str) -> str:
    """The BCP 47 tag of an ISO 639-2 code: two letters where there are (RFC 5646 2.2.1). What
    is not known stays as it is, and so does what stands behind a hyphen."""
    language, hyphen, rest = code.partition("-")
    return _SHORTEST.get(language.lower(), language) + hyphen + rest


def is_language(code: str) -> bool:
    """Whether a two or three letter code names a language known here."""
    return code.lower() in _KNOWN


def label(tag: str) -> str:
    """The language's own name, with the region or script where the tag has one; else the tag."""
    tag = bcp47(tag)
    if known := _NAMES.get(tag.lower()):
        return known
    language, _, rest = tag.partition("-")
    name = _NAMES.get(language.lower())
    return f"{name} ({rest})" if name else tag
