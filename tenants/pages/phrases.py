"""The fixed phrases of the pages, language by language. What the tenant writes stands as it was written."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tenants.pages.settings import Language

_EN: Final = {
    "agree": "I agree to receive text messages from {brand} ({name}) about {purpose}.",
    "frequency": "Message frequency varies",
    "rates": "Message and data rates may apply",
    "stop": "Reply STOP to cancel, HELP for help, or contact {email} or {phone}",
    "optional": "Agreeing is optional and no condition of any purchase; you can also reach us by e-mail or phone",
    "terms": "Terms",
    "privacy": "Privacy policy",
    "terms_title": "SMS terms and conditions",
    "privacy_title": "Privacy policy",
    "sms_section": "Text messages (SMS)",
    "programme": "Programmes",
    "cancel_title": "How to cancel",
    "cancel": "You can cancel at any time: text STOP to the number that the messages come from. One message "
    "confirms that you are unsubscribed; after it no more are sent. To join again, text JOIN to the same "
    "number or sign up as you did the first time.",
    "help_title": "Help",
    "help": "For help, text HELP to the number that the messages come from, write to {email} or call {phone}.",
    "carriers_title": "Carriers",
    "carriers": "Carriers are not liable for delayed or undelivered messages.",
    "cost_title": "Cost and frequency",
    "cost": "Message and data rates may apply to messages you send and receive. If you have questions about "
    "your text or data plan, ask your wireless provider.",
    "privacy_link": "How we handle your data is said in our privacy policy:",
    "collect": "We keep your mobile number, what you agreed to, when and how, and the messages sent to you, to "
    "send what you asked for and to show that you asked for it.",
    "no_sharing": "We do not share, sell or rent your mobile number, your opt-in data or your consent to third "
    "parties for their marketing. Text messaging originator opt-in data and consent are not shared with any "
    "third parties; those who carry the messages for us may use them for nothing else.",
    "rights": "To see, correct or delete your data, write to {email}. You can change what you receive on the "
    "preference page:",
    "opt_in_title": "Get text messages from {brand}",
    "number": "Mobile number with country code, such as +12065550100",
    "choose": "Choose what you want to receive",
    "submit": "Subscribe",
    "trap": "Leave this field empty",
    "check_phone": "Check your phone: reply YES to our text, or open its link, to confirm.",
    "subscribed": "Thank you, you are subscribed.",
    "choose_one": "Tick at least one box.",
    "bad_number": "This is no mobile number with its country code, such as +12065550100.",
    "too_many": "Too many tries. Please wait an hour and try again.",
    "captcha_failed": "Please show that you are a person, and send the form again.",
    "captcha_unavailable": "We cannot check right now whether you are "
    "a person. Please try again in a few minutes.",
    "prefs_title": "Your text messages from {brand}",
    "send_code": "Send me a code",
    "code_sent": "If this number can be texted, a code is on its way. Enter it here within 10 minutes.",
    "code": "Code",
    "enter": "Continue",
    "bad_code": "That is not the code, or it is too old. Try again, or ask for another one.",
    "enough_texts": "This number was texted often enough for now. Please try again in a few hours.",
    "enough_codes": "This number was sent enough codes for now. Enter the one that came last, or try again "
    "in a few hours.",
    "wrong_codes": "Too many wrong codes were entered from where you are. Please try again tomorrow. "
    "Texting STOP to the number that the messages come from works at any time.",
    "save": "Save",
    "stop_all": "Stop all messages",
    "saved": "Your choice is saved.",
    "confirm_title": "Confirm your subscription",
    "confirm": "Yes, I confirm",
    "nothing": "There is nothing to confirm: it is confirmed already, cancelled, or too late.",
    "bad_link": "This link is not valid any more.",
    "not_found": "There is no such page.",
    "not_now": "This page cannot answer right now. Please try again in a minute.",
    "paper_title": "Agreement to receive text messages",
    "paper_name": "Name",
    "paper_date": "Date",
    "paper_signature": "Signature",
    "script_title": "What to read out on the phone or in person",
    "script_ask": "May we send you text messages? Please answer yes or no to each.",
    "script_note": "Write down the number, the answers, the date and your name, and enter them as consents.",
    "version": "Version",
}
_DE: Final = {
    "agree": "Ich möchte Textnachrichten von {brand} ({name}) erhalten: {purpose}.",
    "frequency": "Die Häufigkeit der Nachrichten variiert",
    "rates": "Es können Kosten für Nachrichten und Daten anfallen (Message and data rates may apply)",
    "stop": "Mit STOP abbestellen, mit HELP Hilfe erhalten, oder {email} oder {phone} kontaktieren",
    "optional": "Die Zustimmung ist freiwillig und keine Bedingung eines Kaufs; Sie erreichen uns auch per "
    "E-Mail oder Telefon",
    "terms": "Bedingungen",
    "privacy": "Datenschutzerklärung",
    "terms_title": "SMS-Bedingungen",
    "privacy_title": "Datenschutzerklärung",
    "sms_section": "Textnachrichten (SMS)",
    "programme": "Programme",
    "cancel_title": "Abbestellen",
    "cancel": "Sie können jederzeit abbestellen: Senden Sie STOP an die Nummer, von der die Nachrichten kommen. "
    "Eine Nachricht bestätigt die Abmeldung, danach kommt keine mehr. Mit JOIN an dieselbe Nummer oder wie "
    "beim ersten Mal melden Sie sich wieder an.",
    "help_title": "Hilfe",
    "help": "Hilfe erhalten Sie mit HELP an die Nummer, von der die Nachrichten kommen, per E-Mail an {email} "
    "oder telefonisch unter {phone}.",
    "carriers_title": "Netzbetreiber",
    "carriers": "Netzbetreiber haften nicht für verspätete oder nicht zugestellte Nachrichten.",
    "cost_title": "Kosten und Häufigkeit",
    "cost": "Es können Kosten für Nachrichten und Daten anfallen (Message and data rates may apply). Fragen zu "
    "Ihrem Tarif beantwortet Ihr Mobilfunkanbieter.",
    "privacy_link": "Wie wir mit Ihren Daten umgehen, steht in unserer Datenschutzerklärung:",
    "collect": "Wir speichern Ihre Mobilnummer, Ihre Zustimmungen mit Zeit und Weg und die an Sie gesendeten "
    "Nachrichten, um zu senden, worum Sie gebeten haben, und dies zeigen zu können.",
    "no_sharing": "Wir geben Ihre Mobilnummer, Ihre Anmeldedaten und Ihre Zustimmung nicht an Dritte weiter und "
    "verkaufen oder vermieten sie nicht. Wer die Nachrichten für uns überträgt, darf sie für nichts anderes "
    "verwenden.",
    "rights": "Für Auskunft, Berichtigung oder Löschung schreiben Sie an {email}. Was Sie erhalten, ändern Sie "
    "hier:",
    "opt_in_title": "Textnachrichten von {brand}",
    "number": "Mobilnummer mit Landesvorwahl, zum Beispiel +4915112345678",
    "choose": "Wählen Sie, was Sie erhalten möchten",
    "submit": "Anmelden",
    "trap": "Dieses Feld leer lassen",
    "check_phone": "Bitte bestätigen Sie: Antworten Sie auf unsere Nachricht mit JA oder öffnen Sie ihren Link.",
    "subscribed": "Danke, Sie sind angemeldet.",
    "choose_one": "Kreuzen Sie mindestens ein Feld an.",
    "bad_number": "Das ist keine Mobilnummer mit Landesvorwahl, zum Beispiel +4915112345678.",
    "too_many": "Zu viele Versuche. Bitte versuchen Sie es in einer Stunde wieder.",
    "captcha_failed": "Bitte zeigen Sie, dass Sie ein Mensch sind, und senden Sie das Formular noch einmal.",
    "captcha_unavailable": "Ob Sie ein Mensch sind, lässt sich gerade nicht "
    "prüfen. Bitte versuchen Sie es in einigen Minuten wieder.",
    "prefs_title": "Ihre Textnachrichten von {brand}",
    "send_code": "Code senden",
    "code_sent": "Wenn diese Nummer erreichbar ist, kommt ein Code. Geben Sie ihn innerhalb von 10 Minuten ein.",
    "code": "Code",
    "enter": "Weiter",
    "bad_code": "Der Code stimmt nicht oder ist zu alt. Versuchen Sie es noch einmal oder fordern Sie "
    "einen neuen an.",
    "enough_texts": "Diese Nummer hat vorerst genug Nachrichten bekommen. Bitte versuchen Sie es in "
    "einigen Stunden wieder.",
    "enough_codes": "Diese Nummer hat vorerst genug Codes bekommen. Geben Sie den letzten ein, oder "
    "versuchen Sie es in einigen Stunden wieder.",
    "wrong_codes": "Von Ihrem Anschluss kamen zu viele falsche Codes. Bitte versuchen Sie es morgen "
    "wieder. STOP an die Nummer, von der die Nachrichten kommen, wirkt jederzeit.",
    "save": "Speichern",
    "stop_all": "Alle Nachrichten abbestellen",
    "saved": "Ihre Wahl ist gespeichert.",
    "confirm_title": "Anmeldung bestätigen",
    "confirm": "Ja, ich bestätige",
    "nothing": "Es gibt nichts zu bestätigen: bereits bestätigt, abbestellt oder zu spät.",
    "bad_link": "Dieser Link gilt nicht mehr.",
    "not_found": "Diese Seite gibt es nicht.",
    "not_now": "Diese Seite kann gerade nicht antworten. Bitte versuchen Sie es in einer Minute noch einmal.",
    "paper_title": "Zustimmung zu Textnachrichten",
    "paper_name": "Name",
    "paper_date": "Datum",
    "paper_signature": "Unterschrift",
    "script_title": "Zum Vorlesen am Telefon oder vor Ort",
    "script_ask": "Dürfen wir Ihnen Textnachrichten senden? Bitte antworten Sie jeweils mit Ja oder Nein.",
    "script_note": "Notieren Sie Nummer, Antworten, Datum und Ihren Namen, und tragen Sie sie als Zustimmung ein.",
    "version": "Fassung",
}
_ES: Final = {
    "agree": "Acepto recibir mensajes de texto de {brand} ({name}) sobre {purpose}.",
    "frequency": "La frecuencia de los mensajes varía",
    "rates": "Pueden aplicarse tarifas de mensajes y datos (Message and data rates may apply)",
    "stop": "Responda STOP para cancelar, HELP para ayuda, o escriba a {email} o llame al {phone}",
    "optional": "Aceptar es opcional y no es condición de ninguna compra; también puede contactarnos por correo "
    "o teléfono",
    "terms": "Términos",
    "privacy": "Política de privacidad",
    "terms_title": "Términos y condiciones de SMS",
    "privacy_title": "Política de privacidad",
    "sms_section": "Mensajes de texto (SMS)",
    "opt_in_title": "Reciba mensajes de texto de {brand}",
    "number": "Número de móvil con código de país, como +34612345678",
    "choose": "Elija lo que desea recibir",
    "submit": "Suscribirse",
    "trap": "Deje este campo vacío",
    "check_phone": "Revise su teléfono: responda SI a nuestro mensaje, o abra su enlace, para confirmar.",
    "subscribed": "Gracias, su suscripción está hecha.",
    "choose_one": "Marque al menos una casilla.",
    "bad_number": "No es un número de móvil con código de país, como +34612345678.",
    "too_many": "Demasiados intentos. Espere una hora e inténtelo de nuevo.",
    "captcha_failed": "Demuestre que es una persona y envíe el formulario de nuevo.",
    "captcha_unavailable": "Ahora no podemos comprobar si es una "
    "persona. Inténtelo de nuevo en unos minutos.",
    "prefs_title": "Sus mensajes de texto de {brand}",
    "send_code": "Enviarme un código",
    "code_sent": "Si se puede escribir a este número, un código está en camino. Introdúzcalo en 10 minutos.",
    "code": "Código",
    "enter": "Continuar",
    "bad_code": "No es el código, o es demasiado antiguo. Inténtelo de nuevo o pida otro.",
    "enough_texts": "Este número ya ha recibido bastantes mensajes por ahora. Inténtelo de nuevo en unas "
    "horas.",
    "enough_codes": "Este número ya ha recibido bastantes códigos por ahora. Introduzca el último, o "
    "inténtelo de nuevo en unas horas.",
    "wrong_codes": "Desde su conexión se introdujeron demasiados códigos erróneos. Inténtelo de nuevo "
    "mañana. Enviar STOP al número del que llegan los mensajes funciona en todo momento.",
    "save": "Guardar",
    "stop_all": "Detener todos los mensajes",
    "saved": "Su elección está guardada.",
    "confirm_title": "Confirme su suscripción",
    "confirm": "Sí, confirmo",
    "nothing": "No hay nada que confirmar: ya está confirmado, cancelado o es tarde.",
    "bad_link": "Este enlace ya no es válido.",
    "not_found": "Esta página no existe.",
    "not_now": "Esta página no puede responder ahora. Inténtelo de nuevo en un minuto.",
    "version": "Versión",
    "programme": "Programas",
    "cancel_title": "Cómo cancelar",
    "cancel": "Puede cancelar en cualquier momento: envíe STOP al número del que llegan los mensajes. Un mensaje "
    "confirma la baja; después no se envía ninguno más. Para volver a suscribirse, envíe JOIN al mismo número o "
    "suscríbase como la primera vez.",
    "help_title": "Ayuda",
    "help": "Para obtener ayuda, envíe HELP al número del que llegan los mensajes, escriba a {email} o llame al "
    "{phone}.",
    "carriers_title": "Operadores",
    "carriers": "Los operadores no son responsables de los mensajes retrasados o no entregados.",
    "cost_title": "Coste y frecuencia",
    "cost": "Pueden aplicarse tarifas de mensajes y datos a los mensajes que envía y recibe (Message and data rates "
    "may apply). Si tiene preguntas sobre su plan de mensajes o de datos, consulte a su operador.",
    "privacy_link": "Cómo tratamos sus datos se explica en nuestra política de privacidad:",
    "collect": "Guardamos su número de móvil, lo que aceptó, cuándo y cómo, y los mensajes que se le enviaron, para "
    "enviarle lo que pidió y para poder demostrar que lo pidió.",
    "no_sharing": "No compartimos, vendemos ni alquilamos su número de móvil, sus datos de suscripción ni su "
    "consentimiento a terceros para su mercadotecnia. Los datos de suscripción y el consentimiento para mensajes de "
    "texto no se comparten con terceros; quienes transmiten los mensajes por nosotros no pueden usarlos para nada "
    "más.",
    "rights": "Para consultar, corregir o eliminar sus datos, escriba a {email}. Puede cambiar lo que recibe en la "
    "página de preferencias:",
    "paper_title": "Consentimiento para recibir mensajes de texto",
    "paper_name": "Nombre",
    "paper_date": "Fecha",
    "paper_signature": "Firma",
    "script_title": "Texto para leer por teléfono o en persona",
    "script_ask": "¿Podemos enviarle mensajes de texto? Responda sí o no a cada uno, por favor.",
    "script_note": "Anote el número, las respuestas, la fecha y su nombre, e introdúzcalos como consentimientos.",
}
_FR: Final = {
    "agree": "J'accepte de recevoir des SMS de {brand} ({name}) : {purpose}.",
    "frequency": "La fréquence des messages varie",
    "rates": "Des frais de messages et de données peuvent s'appliquer (Message and data rates may apply)",
    "stop": "Répondez STOP pour arrêter, HELP pour de l'aide, ou contactez {email} ou {phone}",
    "optional": "Accepter est facultatif et n'est condition d'aucun achat ; vous pouvez aussi nous joindre par "
    "e-mail ou téléphone",
    "terms": "Conditions",
    "privacy": "Politique de confidentialité",
    "terms_title": "Conditions des SMS",
    "privacy_title": "Politique de confidentialité",
    "sms_section": "Messages (SMS)",
    "opt_in_title": "Recevoir des SMS de {brand}",
    "number": "Numéro de mobile avec indicatif du pays, comme +33612345678",
    "choose": "Choisissez ce que vous voulez recevoir",
    "submit": "S'inscrire",
    "trap": "Laissez ce champ vide",
    "check_phone": "Regardez votre téléphone : répondez OUI à notre SMS, ou ouvrez son lien, pour confirmer.",
    "subscribed": "Merci, vous êtes inscrit.",
    "choose_one": "Cochez au moins une case.",
    "bad_number": "Ce n'est pas un numéro de mobile avec indicatif du pays, comme +33612345678.",
    "too_many": "Trop d'essais. Attendez une heure et réessayez.",
    "captcha_failed": "Montrez que vous êtes une personne et renvoyez le formulaire.",
    "captcha_unavailable": "Nous ne pouvons pas vérifier pour l'instant que "
    "vous êtes une personne. Réessayez dans quelques minutes.",
    "prefs_title": "Vos SMS de {brand}",
    "send_code": "M'envoyer un code",
    "code_sent": "Si ce numéro peut être joint, un code est en route. Saisissez-le dans les 10 minutes.",
    "code": "Code",
    "enter": "Continuer",
    "bad_code": "Ce n'est pas le code, ou il est trop ancien. Réessayez, ou demandez-en un autre.",
    "enough_texts": "Ce numéro a reçu assez de messages pour le moment. Réessayez dans quelques heures.",
    "enough_codes": "Ce numéro a reçu assez de codes pour le moment. Saisissez le dernier, ou réessayez "
    "dans quelques heures.",
    "wrong_codes": "Trop de codes erronés ont été saisis depuis votre connexion. Réessayez demain. Envoyer "
    "STOP au numéro d'où viennent les messages fonctionne à tout moment.",
    "save": "Enregistrer",
    "stop_all": "Arrêter tous les messages",
    "saved": "Votre choix est enregistré.",
    "confirm_title": "Confirmez votre inscription",
    "confirm": "Oui, je confirme",
    "nothing": "Il n'y a rien à confirmer : déjà confirmé, annulé ou trop tard.",
    "bad_link": "Ce lien n'est plus valable.",
    "not_found": "Cette page n'existe pas.",
    "not_now": "Cette page ne peut pas répondre pour le moment. Réessayez dans une minute.",
    "version": "Version",
    "programme": "Programmes",
    "cancel_title": "Comment se désinscrire",
    "cancel": "Vous pouvez vous désinscrire à tout moment : envoyez STOP au numéro d'où viennent les messages. Un "
    "message confirme la désinscription ; aucun autre ne suit. Pour revenir, envoyez JOIN au même numéro ou "
    "inscrivez-vous comme la première fois.",
    "help_title": "Aide",
    "help": "Pour obtenir de l'aide, envoyez HELP au numéro d'où viennent les messages, écrivez à {email} ou appelez "
    "le {phone}.",
    "carriers_title": "Opérateurs",
    "carriers": "Les opérateurs ne sont pas responsables des messages retardés ou non remis.",
    "cost_title": "Coût et fréquence",
    "cost": "Des frais de messages et de données peuvent s'appliquer aux messages que vous envoyez et recevez "
    "(Message and data rates may apply). Pour toute question sur votre forfait, adressez-vous à votre opérateur.",
    "privacy_link": "La façon dont nous traitons vos données est décrite dans notre politique de confidentialité :",
    "collect": "Nous conservons votre numéro de mobile, ce que vous avez accepté, quand et comment, et les messages "
    "qui vous ont été envoyés, pour envoyer ce que vous avez demandé et pouvoir le montrer.",
    "no_sharing": "Nous ne partageons, ne vendons ni ne louons votre numéro de mobile, vos données d'inscription ou "
    "votre consentement à des tiers à des fins de marketing. Les données d'inscription et le consentement aux SMS ne "
    "sont partagés avec aucun tiers ; ceux qui acheminent les messages pour nous ne peuvent en faire aucun autre "
    "usage.",
    "rights": "Pour consulter, corriger ou supprimer vos données, écrivez à {email}. Vous pouvez changer ce que vous "
    "recevez sur la page des préférences :",
    "paper_title": "Consentement à recevoir des SMS",
    "paper_name": "Nom",
    "paper_date": "Date",
    "paper_signature": "Signature",
    "script_title": "Texte à lire au téléphone ou en personne",
    "script_ask": "Pouvons-nous vous envoyer des SMS ? Répondez par oui ou par non à chacun, s'il vous plaît.",
    "script_note": "Notez le numéro, les réponses, la date et votre nom, et saisissez-les comme consentements.",
}
PHRASES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {"en": _EN, "de": _DE, "es": _ES, "fr": _FR}
)
"""Each language says everything; `?lang=en` shows what carriers' reviewers read."""
