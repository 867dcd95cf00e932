"""Filled forms for tests, after the seeds' examples."""

TOLL_FREE = {
    "companyInfo.companyName": "Example Corp",
    "companyInfo.website": "https://www.example.com",
    "companyInfo.address1": "1 Main Street",
    "companyInfo.city": "Seattle",
    "companyInfo.state": "WA",
    "companyInfo.zipCode": "98101",
    "companyInfo.isoCountryCode": "US",
    "contactInfo.firstName": "Jane",
    "contactInfo.lastName": "Doe",
    "contactInfo.supportEmail": "jane.doe@example.com",
    "contactInfo.supportPhoneNumber": "+12065550142",
    "messagingUseCase.monthlyMessageVolume": "10,000",
    "messagingUseCase.useCaseCategory": "One-time passcodes",
    "messagingUseCase.useCaseDetails": "Example Corp sends one-time passcodes to customers who sign in.",
    "messagingUseCase.optInDescription": (
        "Customers of Example Corp enter their number on https://www.example.com/signup to receive sign-in "
        "codes and tick an empty box that is not pre-selected: One message per login. Message and data rates "
        "may apply. Reply HELP for help, or call 206-555-0142; reply STOP to opt out. "
        "Terms: https://www.example.com/terms Privacy policy: https://www.example.com/privacy"
    ),
    "messageSamples.messageSample1": "Example Corp: your sign-in code is [code]. It expires in 10 minutes.",
}
JORDAN = {
    "senderIdInfo.senderId": "EXAMPLE",
    "companyInfo.companyName": "Example Corp",
    "companyInfo.companyId": "123456789",
    "companyInfo.website": "https://www.example.com",
    "companyInfo.area": "Technology",
    "addressInfo.address1": "1 Main Street",
    "addressInfo.city": "Seattle",
    "addressInfo.isoCountryCode": "US",
    "contactInfo.email": "jane.doe@example.com",
    "contactInfo.phoneNumber": "+12065550100",
    "messagingUseCase.useCaseCategory": "One-time passcodes",
    "messagingUseCase.useCaseDescription": "Example Corp sends one-time passcodes to customers who sign in.",
    "messagingUseCase.monthlyMessageVolume": "10,000",
    "messagingUseCase.optInDescription": (
        "Customers of Example Corp enter their number on https://www.example.com/signup to receive sign-in "
        "codes and tick an empty box that is not pre-selected: One message per login. Message and data rates "
        "may apply. Write to jane.doe@example.com for help or to opt out. "
        "Terms: https://www.example.com/terms Privacy policy: https://www.example.com/privacy"
    ),
    "messageSamples.messageSample1": "Example Corp: your sign-in code is [code]. It expires in 10 minutes.",
    "messagingUseCase.transactionalOnly": "Yes",
}
BRAND = {
    "companyInfo.companyName": "Example Corp",
    "companyInfo.legalType": "PRIVATE_PROFIT",
    "companyInfo.taxId": "12-3456789",
    "companyInfo.taxIdIssuingCountry": "US",
    "companyInfo.vertical": "TECHNOLOGY",
    "companyInfo.address": "1 Main Street",
    "companyInfo.city": "Seattle",
    "companyInfo.state": "WA",
    "companyInfo.zipCode": "98101",
    "companyInfo.isoCountryCode": "US",
    "contactInfo.website": "https://www.example.com",
    "contactInfo.supportEmail": "support@example.com",
    "contactInfo.supportPhoneNumber": "+12065550142",
}
VETTING = {"vettingInfo.vettingPartner": "Aegis Mobile"}
CAMPAIGN = {
    "campaignInfo.campaignDescription": (
        "Example Corp sends one-time passcodes to customers who sign in to their account on example.com."
    ),
    "campaignInfo.optInWorkflow": TOLL_FREE["messagingUseCase.optInDescription"],
    "campaignInfo.optInConfirmationMessage": (
        "Example Corp: you get one message per login. Msg & data rates may apply. "
        "Reply HELP for help, STOP to opt out."
    ),
    "campaignInfo.helpMessage": (
        "Example Corp sign-in codes: call 206-555-0142 or write to support@example.com. "
        "Msg & data rates may apply. Reply STOP to opt out."
    ),
    "campaignInfo.stopMessage": "Example Corp: you are opted out and will get no more messages from us.",
    "campaignUseCase.numberCapability": "SMS",
    "campaignUseCase.messageType": "TRANSACTIONAL",
    "campaignUseCase.useCase": "TWO_FACTOR_AUTHENTICATION",
    "campaignUseCase.subscriberOptIn": "Yes",
    "campaignUseCase.subscriberOptOut": "Yes",
    "campaignUseCase.subscriberHelp": "Yes",
    "campaignUseCase.directLending": "No",
    "campaignUseCase.embeddedLink": "No",
    "campaignUseCase.embeddedPhone": "No",
    "campaignUseCase.ageGated": "No",
    "messageSamples.messageSample1": (
        "Example Corp: your sign-in code is [code]. It expires in 10 minutes. Reply STOP to opt out."
    ),
}
