"""What the companies of the walk-throughs answer in their registration forms, by field path."""

TOLL_FREE = {
    "companyInfo.companyName": "Example Corp",
    "companyInfo.website": "https://www.example.com",
    "companyInfo.address1": "123 Any Street",
    "companyInfo.city": "Seattle",
    "companyInfo.state": "WA",
    "companyInfo.zipCode": "98101",
    "companyInfo.isoCountryCode": "US",
    "contactInfo.firstName": "Martha",
    "contactInfo.lastName": "Rivera",
    "contactInfo.supportEmail": "support@example.com",
    "contactInfo.supportPhoneNumber": "+12065550142",
    "messagingUseCase.monthlyMessageVolume": "10,000",
    "messagingUseCase.useCaseCategory": "Two-factor authentication",
    "messagingUseCase.useCaseDetails": "One-time codes for signing in",
    "messagingUseCase.optInDescription": "Customers tick a box on https://www.example.com/sign-up",
    "messageSamples.messageSample1": "Example Corp: your code is [code]. Reply HELP for help.",
}

JORDAN = {
    "senderIdInfo.senderId": "EXAMPLE",
    "companyInfo.companyName": "Example Corp",
    "companyInfo.companyId": "123456789",
    "companyInfo.website": "https://www.example.com",
    "companyInfo.area": "Technology",
    "addressInfo.address1": "123 Any Street",
    "addressInfo.city": "Amman",
    "addressInfo.isoCountryCode": "JO",
    "contactInfo.email": "support@example.com",
    "contactInfo.phoneNumber": "+12065550100",
    "messagingUseCase.useCaseCategory": "One-time passcodes",
    "messagingUseCase.useCaseDescription": "One-time codes for signing in",
    "messagingUseCase.monthlyMessageVolume": "10,000",
    "messagingUseCase.optInDescription": "Customers enter their number at sign-up",
    "messageSamples.messageSample1": "EXAMPLE: your code is 123456",
    "messagingUseCase.transactionalOnly": "Yes",
}
